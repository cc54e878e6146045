;; Sums, differences and products of lanes.
(module
  (func (param v128 v128) (result v128) (i16x8.mul (i16x8.add (local.get 0) (local.get 1)) (i16x8.sub (local.get 0) (local.get 1))))
  (func $wide (param v128 v128) (result v128) (i64x2.mul (local.get 0) (local.get 1))))
