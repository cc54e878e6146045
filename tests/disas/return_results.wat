;; Results in registers, and those that have none.
(module
  (func $two (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func $mixed (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func $four (param i32) (result i32 i32 i32 i32)
    (local.get 0) (i32.const 2) (i32.add (local.get 0) (i32.const 3)) (i32.const 4)))
