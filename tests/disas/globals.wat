;; Globals of the module itself: read, written, counted.
(module
  (global $counter (mut i32) (i32.const 0))
  (global $wide (mut i64) (i64.const 0))
  (global $constant i32 (i32.const 7))
  (global $float (mut f64) (f64.const 0))
  (func $count (result i32)
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (global.get $counter))
  (func $others (param f64) (result i64)
    (global.set $float (f64.add (global.get $float) (local.get 0)))
    (global.set $wide (i64.const 5))
    (i64.add (global.get $wide) (i64.extend_i32_u (global.get $constant)))))
