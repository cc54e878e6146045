;; They may trap.
(module
  (memory 1)
  (func $first (param i32 i32) (result i32) (local.get 1))
  (func $dropped (param i32) (drop (i32.load (local.get 0))))
  (func $ignored (param i32) (result i32) (call $first (i32.const 3) (i32.load (local.get 0)))
    (drop) (i32.const 1)))
