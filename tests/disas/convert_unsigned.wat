;; Unsigned integers to floats.
(module
  (func (param i32) (result f32) (f32.convert_i32_u (local.get 0)))
  (func $wide (param i64) (result f64) (f64.convert_i64_u (local.get 0)))
  (func $single (param i64) (result f32) (f32.convert_i64_u (local.get 0))))
