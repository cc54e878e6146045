;; A global that never changes is read as often as it likes.
(module
  (global $count (mut i32) (i32.const 0))
  (global $step i32 (i32.const 3))
  (func $next (result i32)
    (global.set $count (i32.add (global.get $count) (global.get $step)))
    (i32.mul (global.get $count) (global.get $step))))
