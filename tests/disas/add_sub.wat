;; The plainest arithmetic, on parameters.
(module
  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $sub (param i64 i64) (result i64) (i64.sub (local.get 0) (local.get 1)))
  (func $negate (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
  (func $not (param i64) (result i64) (i64.xor (local.get 0) (i64.const -1)))
  (func $mul (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))
