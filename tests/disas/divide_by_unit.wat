;; Divisions by 1 and -1; by 0 there is nothing but the trap.
(module
  (func $one (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 1)))
  (func $rest (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const -1)))
  (func $minus_one (param i64) (result i64) (i64.div_s (local.get 0) (i64.const -1)))
  (func $zero (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0))))
