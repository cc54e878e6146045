;; Comparisons of i32 as numbers.
(module
  (func $eq (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1)))
  (func $lt_s (param i32 i32) (result i32) (i32.lt_s (local.get 0) (local.get 1)))
  (func $lt_u (param i32 i32) (result i32) (i32.lt_u (local.get 0) (local.get 1)))
  (func $gt_s (param i32 i32) (result i32) (i32.gt_s (local.get 0) (local.get 1)))
  (func $ge_u (param i32 i32) (result i32) (i32.ge_u (local.get 0) (local.get 1)))
  (func $eqz (param i32) (result i32) (i32.eqz (local.get 0))))
