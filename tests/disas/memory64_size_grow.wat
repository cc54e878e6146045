;; Sizes in 64 bits.
(module
  (memory i64 1 8)
  (func $size (result i64) (memory.size))
  (func $grow (param i64) (result i64) (memory.grow (local.get 0))))
