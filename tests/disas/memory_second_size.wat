;; Sizes of the second memory.
(module
  (memory $a 1)
  (memory $b 1 4)
  (func $size (result i32) (memory.size $b))
  (func $grow (param i32) (result i32) (memory.grow $b (local.get 0))))
