;; From one memory to another.
(module
  (memory $a 1)
  (memory $b 1)
  (func (param i32 i32 i32) (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
  (func $few (param i32 i32) (memory.copy $b $a (local.get 0) (local.get 1) (i32.const 8))))
