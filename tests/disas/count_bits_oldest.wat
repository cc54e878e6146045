;; Zeros and ones, on a machine without instructions for them.
;;! show oldest
(module
  (func (param i32) (result i32) (i32.clz (local.get 0)))
  (func $trailing (param i64) (result i64) (i64.ctz (local.get 0)))
  (func $ones (param i32) (result i32) (i32.popcnt (local.get 0))))
