;; Choices between constants.
(module
  (func $integer (param i32) (result i32) (select (i32.const 10) (i32.const 32) (i32.lt_u (local.get 0) (i32.const 5))))
  (func $zero (param i64 i64) (result i64) (select (local.get 0) (i64.const 0) (i64.eq (local.get 0) (local.get 1)))))
