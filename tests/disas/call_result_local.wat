;; The result of a call, whose upper half is anything, is made whole in the local that it is for.
(module
  (func $f (import "env" "f") (param i32) (result i32))
  (func (param $x i32) (result i32)
    (loop $again
      (local.set $x (call $f (local.get $x)))
      (br_if $again (i32.and (local.get $x) (i32.const 1))))
    (local.get $x)))
