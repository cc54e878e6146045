;; A divisor of more than half: once or not at all.
(module
  (func $div (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0xc0000000)))
  (func $rem (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 0xc0000000))))
