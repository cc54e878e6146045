;; Four products that stand beside each other.
(module
  (memory 1)
  (func $scale (param i32 f32)
    (f32.store (local.get 0) (f32.mul (f32.load (local.get 0)) (local.get 1)))
    (f32.store offset=4 (local.get 0) (f32.mul (f32.load offset=4 (local.get 0)) (local.get 1)))
    (f32.store offset=8 (local.get 0) (f32.mul (f32.load offset=8 (local.get 0)) (local.get 1)))
    (f32.store offset=12 (local.get 0) (f32.mul (f32.load offset=12 (local.get 0)) (local.get 1)))))
