;; Globals of another module are behind a pointer.
(module
  (global $sp (import "env" "sp") (mut i32))
  (func (param i32) (result i32)
    (global.set $sp (i32.sub (global.get $sp) (local.get 0)))
    (global.get $sp)))
