;; Constants are parts of instructions where they fit.
(module
  (func $narrow (param i32) (result i32)
    (i32.xor (i32.and (i32.add (local.get 0) (i32.const 5)) (i32.const -16)) (i32.const 0x12345678)))
  (func $wide (param i64) (result i64)
    (i64.or (i64.and (i64.add (local.get 0) (i64.const -5)) (i64.const 0x7fffffff)) (i64.const 0x123456789abc)))
  (func $compare (param i64) (result i32)
    (i32.add (i64.lt_s (local.get 0) (i64.const 100)) (i64.gt_u (local.get 0) (i64.const 0x8000000000000000)))))
