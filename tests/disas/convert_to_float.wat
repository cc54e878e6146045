;; Integers to floats; the register is cleared, so that nothing waits for its old value.
;;! show oldest
(module
  (func $f64_i32_s (param i32) (result f64) (f64.convert_i32_s (local.get 0)))
  (func $f32_i32_u (param i32) (result f32) (f32.convert_i32_u (local.get 0)))
  (func $f64_i64_s (param i64) (result f64) (f64.convert_i64_s (local.get 0)))
  (func $f64_i64_u (param i64) (result f64) (f64.convert_i64_u (local.get 0))))
