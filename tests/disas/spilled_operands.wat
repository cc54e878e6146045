;; More operands than registers: the deepest go home.
(module
  (func (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 3))
    (i32.add (i32.mul (local.get 0) (i32.const 5))
    (i32.add (i32.mul (local.get 0) (i32.const 7))
    (i32.add (i32.mul (local.get 0) (i32.const 11))
    (i32.add (i32.mul (local.get 0) (i32.const 13))
    (i32.add (i32.mul (local.get 0) (i32.const 17))
    (i32.add (i32.mul (local.get 0) (i32.const 19))
    (local.get 0))))))))))
