;; Loads of bytes and halves, with signs.
(module
  (memory 1)
  (func $u8 (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $s8 (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func $u16 (param i32) (result i64) (i64.load16_u (local.get 0)))
  (func $s16 (param i32) (result i64) (i64.load16_s (local.get 0)))
  (func $u32 (param i32) (result i64) (i64.load32_u (local.get 0)))
  (func $s32 (param i32) (result i64) (i64.load32_s (local.get 0))))
