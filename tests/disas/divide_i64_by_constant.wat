;; Products of 128 bits.
(module
  (func $div_u (param i64) (result i64) (i64.div_u (local.get 0) (i64.const 10)))
  (func $rem_u (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 1000000007)))
  (func $div_s (param i64) (result i64) (i64.div_s (local.get 0) (i64.const 1000)))
  (func $div_u_7 (param i64) (result i64) (i64.div_u (local.get 0) (i64.const 7))))
