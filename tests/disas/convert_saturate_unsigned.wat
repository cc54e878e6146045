;; Truncations that saturate, without a sign.
(module
  (func (param f32) (result i32) (i32.trunc_sat_f32_u (local.get 0)))
  (func $wide (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))))
