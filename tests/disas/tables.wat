;; Elements of tables.
(module
  (table $t 4 externref)
  (func $get (param i32) (result externref) (table.get $t (local.get 0)))
  (func $set (param i32 externref) (table.set $t (local.get 0) (local.get 1)))
  (func $size (result i32) (table.size $t)))
