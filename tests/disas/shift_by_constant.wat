;; Shifts by constants.
;;! show oldest
(module
  (func $shl (param i32) (result i32) (i32.shl (local.get 0) (i32.const 5)))
  (func $double (param i64) (result i64) (i64.shl (local.get 0) (i64.const 1)))
  (func $shr_u (param i64) (result i64) (i64.shr_u (local.get 0) (i64.const 33)))
  (func $rotl (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 7)))
  (func $none (param i32) (result i32) (i32.shl (local.get 0) (i32.const 32))))
