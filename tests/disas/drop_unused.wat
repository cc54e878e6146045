;; What nobody wants: calls happen, the rest costs nothing.
(module
  (func $f (import "env" "f") (result i32))
  (func (param i32)
    (drop (call $f))
    (drop (local.get 0))
    (drop (i32.const 4))))
