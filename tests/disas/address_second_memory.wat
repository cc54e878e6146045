;; Memories but the first.
(module
  (memory $first 1)
  (memory $second 1)
  (func $load (param i32) (result i32) (i32.load $second (local.get 0)))
  (func $copy (param i32) (i32.store $first (local.get 0) (i32.load $second (local.get 0)))))
