;; An offset beyond what a displacement holds.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load offset=0x80000000 (local.get 0)))
  (func $store (param i32 f64) (f64.store offset=0xfffffff8 (local.get 0) (local.get 1)))
  (func $constant (result i32) (i32.load offset=0x80000000 (i32.const 4))))
