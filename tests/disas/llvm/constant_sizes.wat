;; All of it is read before any of it is written.
(module
  (memory 1)
  (func $copy (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 24)))
  (func $fill (param i32 i32) (memory.fill (local.get 0) (local.get 1) (i32.const 7))))
