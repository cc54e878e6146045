;; clz, ctz, popcnt: the width for zero, with and without instructions of their own.
;;! show oldest
(module
  (func $clz (param i32) (result i32) (i32.clz (local.get 0)))
  (func $ctz (param i64) (result i64) (i64.ctz (local.get 0)))
  (func $popcnt (param i32) (result i32) (i32.popcnt (local.get 0)))
  (func $popcnt_wide (param i64) (result i64) (i64.popcnt (local.get 0))))
