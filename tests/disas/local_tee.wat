;; A tee is used at once.
(module
  (func (param $a i32) (result i32)
    (local $b i32)
    (i32.mul (local.tee $b (i32.add (local.get $a) (i32.const 3))) (local.get $b))))
