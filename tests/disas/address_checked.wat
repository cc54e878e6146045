;; Explicit bounds: the address is compared with what is left of the memory.
;;! checks explicit
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $offset (param i32) (result i64) (i64.load offset=100 (local.get 0)))
  (func $large_offset (param i32) (result i64) (i64.load offset=0xfffffff0 (local.get 0)))
  (func $store (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func $constant (result i32) (i32.load (i32.const 16))))
