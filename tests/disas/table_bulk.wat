;; Ranges of tables are the runtime's.
(module
  (table $t 4 externref)
  (table $u 4 externref)
  (func (table.copy $t $u (i32.const 0) (i32.const 1) (i32.const 2)))
  (func $fill (param externref) (table.fill $t (i32.const 0) (local.get 0) (i32.const 4)))
  (func $grow (param externref) (result i32) (table.grow $t (local.get 0) (i32.const 1))))
