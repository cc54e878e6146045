(module
  (func $to_i32 (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func $to_i64 (param f32) (result i64) (i64.trunc_sat_f32_s (local.get 0))))
