;; An unsigned quotient by a factor of 32 bits.
(module
  (func $div (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 641)))
  (func $rem (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 641))))
