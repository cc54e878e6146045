;; Quotients by a constant are products; no divisor is compared with zero.
(module
  (func $div_u (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 10)))
  (func $rem_u (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 10)))
  (func $div_s (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 10)))
  (func $rem_s (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const -10))))
