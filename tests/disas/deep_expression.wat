;; More values than registers: some go home and come back.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (i32.mul (i32.sub (local.get $a) (i32.const 1))
    (i32.mul (i32.sub (local.get $a) (i32.const 2))
    (i32.mul (i32.sub (local.get $a) (i32.const 3))
    (i32.mul (i32.sub (local.get $a) (i32.const 4))
    (i32.mul (i32.sub (local.get $a) (i32.const 5))
    (i32.mul (i32.sub (local.get $a) (i32.const 6))
    (i32.mul (i32.sub (local.get $a) (i32.const 7))
    (i32.mul (i32.sub (local.get $a) (i32.const 8))
    (i32.mul (i32.sub (local.get $a) (i32.const 9)) (local.get $b))))))))))))
