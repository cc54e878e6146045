;; Explicit bounds with offsets, large and small.
;;! checks explicit
(module
  (memory 1)
  (func $small (param i32) (result i32) (i32.load offset=100 (local.get 0)))
  (func $large (param i32) (result i64) (i64.load offset=0xfffffff0 (local.get 0)))
  (func $store (param i32 i32) (i32.store16 offset=2 (local.get 0) (local.get 1))))
