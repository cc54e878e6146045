;; A comparison with memory.
(module
  (memory 1)
  (func (param $p i32) (param $x i32) (result i32)
    (if (result i32) (i32.eq (i32.load (local.get $p)) (local.get $x)) (then (i32.const 1)) (else (i32.const 2)))))
