;; What conversions to integers trap for.
(module
  (func (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func $wide (param f32) (result i64) (i64.trunc_f32_u (local.get 0))))
