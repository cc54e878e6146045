;; Arguments that change places.
(module
  (func $callee (import "env" "callee") (param i32 i32 i32))
  (func (param i32 i32 i32) (call $callee (local.get 1) (local.get 2) (local.get 0))))
