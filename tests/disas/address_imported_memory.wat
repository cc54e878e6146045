;; An imported memory.
(module
  (memory (import "env" "memory") 1)
  (func (param i32) (result i32) (i32.load offset=4 (local.get 0))))
