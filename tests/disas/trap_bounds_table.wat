;; A table's bounds.
(module
  (table 10 externref)
  (func (param i32) (result externref) (table.get (local.get 0)))
  (func $constant (result externref) (table.get (i32.const 3))))
