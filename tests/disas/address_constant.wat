;; Constant addresses.
(module
  (memory 1)
  (func $load (result i32) (i32.load offset=4 (i32.const 1024)))
  (func $store (i32.store (i32.const 1024) (i32.const 7)))
  (func $high (result i32) (i32.load (i32.const 0xfffffff0))))
