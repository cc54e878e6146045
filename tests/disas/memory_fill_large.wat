;; A constant size that is no longer small, and a byte that is not known.
(module
  (memory 1)
  (func $large (param i32) (memory.fill (local.get 0) (i32.const 1) (i32.const 4096)))
  (func $byte (param i32 i32) (memory.fill (local.get 0) (local.get 1) (i32.const 16))))
