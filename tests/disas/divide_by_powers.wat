;; Divisions by powers of two are shifts and masks.
(module
  (func $div_u (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 8)))
  (func $rem_u (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 8)))
  (func $div_s (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 8)))
  (func $rem_s (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const 8)))
  (func $div_negative (param i64) (result i64) (i64.div_s (local.get 0) (i64.const -4)))
  (func $rem_large (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 0x10000000000))))
