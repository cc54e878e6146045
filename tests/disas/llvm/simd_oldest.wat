;;! cpu oldest
(module
  (func $halves (param v128) (result v128) (i64x2.mul (local.get 0) (local.get 0)))
  (func $bits (param i32) (result i32) (i32.popcnt (local.get 0))))
