;; A condition that is an argument.
(module
  (func $f (import "env" "f") (param i32))
  (func (param i32 i32) (call $f (i32.lt_s (local.get 0) (local.get 1)))))
