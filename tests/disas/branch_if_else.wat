;; Both arms give the result in one register.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (if (result i32) (local.get $a)
      (then (i32.add (local.get $b) (i32.const 1)))
      (else (i32.mul (local.get $b) (local.get $b))))))
