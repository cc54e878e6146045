;; Shifts by a number of any size: masks are the machine's own.
;;! show oldest
(module
  (func $shl (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func $shr_s (param i64 i64) (result i64) (i64.shr_s (local.get 0) (local.get 1)))
  (func $masked (param i32 i32) (result i32) (i32.shr_u (local.get 0) (i32.and (local.get 1) (i32.const 31))))
  (func $rotl (param i32 i32) (result i32) (i32.rotl (local.get 0) (local.get 1)))
  (func $rotr (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1))))
