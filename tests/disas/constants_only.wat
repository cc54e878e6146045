;; Constants that nothing but the result wants.
(module
  (func $zero (result i32) (i32.const 0))
  (func $small (result i64) (i64.const 5))
  (func $negative (result i64) (i64.const -5))
  (func $large (result i64) (i64.const 0x123456789abcdef0))
  (func $sum (result i32) (i32.add (i32.const 2) (i32.const 3)))
  (func $float (result f64) (f64.const 1.5))
  (func $float_zero (result f32) (f32.const 0)))
