;; A table whose indices have 64 bits.
(module
  (table i64 4 externref)
  (func (param i64) (result externref) (table.get (local.get 0)))
  (func $size (result i64) (table.size)))
