;; Remainders of 64 bits by constants.
(module
  (func $ten (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 10)))
  (func $signed (param i64) (result i64) (i64.rem_s (local.get 0) (i64.const 1000))))
