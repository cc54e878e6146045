;; Between lanes of integers and of floats.
(module
  (func (param v128) (result v128) (i32x4.trunc_sat_f32x4_s (local.get 0)))
  (func $unsigned (param v128) (result v128) (f32x4.convert_i32x4_u (local.get 0)))
  (func $demote (param v128) (result v128) (f32x4.demote_f64x2_zero (local.get 0))))
