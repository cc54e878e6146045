;; Comparisons of lanes; without a sign there is no instruction.
;;! show oldest
(module
  (func (param v128 v128) (result v128) (i32x4.gt_s (local.get 0) (local.get 1)))
  (func $unsigned (param v128 v128) (result v128) (i8x16.lt_u (local.get 0) (local.get 1)))
  (func $wide (param v128 v128) (result v128) (i64x2.ge_s (local.get 0) (local.get 1))))
