;; One access: the memory's base is loaded for it.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $store (param i32 i32) (i32.store (local.get 0) (local.get 1))))
