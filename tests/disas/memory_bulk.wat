;; Bulk instructions are the runtime's.
(module
  (memory 1)
  (data $d "abc")
  (func $fill (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func $copy (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func $init (param i32) (memory.init $d (local.get 0) (i32.const 0) (i32.const 3))))
