;; Floats from and to memory.
(module
  (memory 1)
  (func $load (param i32) (result f32) (f32.load (local.get 0)))
  (func $store (param i32 f64) (f64.store (local.get 0) (local.get 1)))
  (func $store_constant (param i32) (f64.store (local.get 0) (f64.const 1)))
  (func $arithmetic (param i32 f64) (result f64) (f64.add (local.get 1) (f64.load (local.get 0)))))
