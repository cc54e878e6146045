;; Rounding of lanes, and absolute values.
(module
  (func (param v128) (result v128) (f64x2.ceil (local.get 0)))
  (func $magnitude (param v128) (result v128) (f32x4.abs (f32x4.neg (local.get 0))))
  (func $integer (param v128) (result v128) (i64x2.abs (local.get 0))))
