;; Stores of bytes and halves, from any register and of constants.
(module
  (memory 1)
  (func $byte (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func $half (param i32 i64) (i64.store16 (local.get 0) (local.get 1)))
  (func $word (param i32 i64) (i64.store32 (local.get 0) (local.get 1)))
  (func $constant (param i32) (i32.store8 (local.get 0) (i32.const 255)))
  (func $constant_wide (param i32) (i64.store (local.get 0) (i64.const -1)))
  (func $constant_large (param i32) (i64.store (local.get 0) (i64.const 0x123456789))))
