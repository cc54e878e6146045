;; Between widths.
(module
  (func $extend8 (param i32) (result i32) (i32.extend8_s (local.get 0)))
  (func $extend16 (param i64) (result i64) (i64.extend16_s (local.get 0)))
  (func $extend32 (param i64) (result i64) (i64.extend32_s (local.get 0)))
  (func $signed (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
  (func $unsigned (param i32) (result i64) (i64.extend_i32_u (local.get 0)))
  (func $unsigned_sum (param i32 i32) (result i64) (i64.extend_i32_u (i32.add (local.get 0) (local.get 1))))
  (func $wrap (param i64) (result i32) (i32.wrap_i64 (local.get 0))))
