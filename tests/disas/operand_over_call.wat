;; An operand that waits while a function is called.
(module
  (func $f (import "env" "f") (param i32) (result i32))
  (func (param i32 i32) (result i32)
    (i32.add (i32.mul (local.get 0) (local.get 1)) (call $f (local.get 0)))))
