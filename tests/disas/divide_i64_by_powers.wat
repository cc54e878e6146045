;; Powers of two, of 64 bits.
(module
  (func $quotient (param i64) (result i64) (i64.div_s (local.get 0) (i64.const 16)))
  (func $remainder (param i64) (result i64) (i64.rem_s (local.get 0) (i64.const 1024)))
  (func $unsigned (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 4096))))
