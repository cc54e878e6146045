;; A counter in memory.
(module
  (memory 1)
  (func (param i32)
    (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (i32.const 1)))))
