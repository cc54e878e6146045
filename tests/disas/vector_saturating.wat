;; Sums that saturate, averages, extremes.
(module
  (func (param v128 v128) (result v128) (i8x16.add_sat_u (local.get 0) (local.get 1)))
  (func $average (param v128 v128) (result v128) (i16x8.avgr_u (local.get 0) (local.get 1)))
  (func $least (param v128 v128) (result v128) (i32x4.min_u (local.get 0) (local.get 1))))
