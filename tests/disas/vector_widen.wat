;; Lanes of twice and half the width.
(module
  (func (param v128) (result v128) (i16x8.extend_high_i8x16_u (local.get 0)))
  (func $narrow (param v128 v128) (result v128) (i8x16.narrow_i16x8_u (local.get 0) (local.get 1)))
  (func $dot (param v128 v128) (result v128) (i32x4.dot_i16x8_s (local.get 0) (local.get 1)))
  (func $pairs (param v128) (result v128) (i32x4.extadd_pairwise_i16x8_u (local.get 0))))
