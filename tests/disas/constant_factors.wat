;; Products with constants by addresses and shifts, where that is shorter.
(module
  (func $three (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
  (func $eight (param i32) (result i32) (i32.mul (local.get 0) (i32.const 8)))
  (func $ten (param i64) (result i64) (i64.mul (local.get 0) (i64.const 10)))
  (func $fifteen (param i64) (result i64) (i64.mul (local.get 0) (i64.const 15)))
  (func $minus_one (param i32) (result i32) (i32.mul (i32.const -1) (local.get 0)))
  (func $hundred (param i32) (result i32) (i32.mul (local.get 0) (i32.const 100)))
  (func $other (param i32) (result i32) (i32.mul (local.get 0) (i32.const 0x9e3779b1)))
  (func $large (param i64) (result i64) (i64.mul (local.get 0) (i64.const 0x9e3779b97f4a7c15))))
