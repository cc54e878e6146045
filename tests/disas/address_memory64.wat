;; A memory of 64-bit addresses is always checked.
(module
  (memory i64 1)
  (func $load (param i64) (result i32) (i32.load offset=8 (local.get 0)))
  (func $store (param i64 i32) (i32.store (local.get 0) (local.get 1)))
  (func $overflow (param i64) (result i32) (i32.load offset=0xfffffffffffffff0 (local.get 0)))
  (func $never (param i64) (result i32) (i32.load offset=0xffffffffffffffff (local.get 0))))
