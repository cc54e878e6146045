;; Comparisons of i64 as numbers.
(module
  (func $eq (param i64 i64) (result i32) (i64.eq (local.get 0) (local.get 1)))
  (func $lt_s (param i64 i64) (result i32) (i64.lt_s (local.get 0) (local.get 1)))
  (func $lt_u (param i64 i64) (result i32) (i64.lt_u (local.get 0) (local.get 1)))
  (func $gt_s (param i64 i64) (result i32) (i64.gt_s (local.get 0) (local.get 1)))
  (func $ge_u (param i64 i64) (result i32) (i64.ge_u (local.get 0) (local.get 1)))
  (func $eqz (param i64) (result i32) (i64.eqz (local.get 0))))
