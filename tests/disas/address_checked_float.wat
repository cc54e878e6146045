;; Explicit bounds: a float is read with its own width, no more.
;;! checks explicit
(module
  (memory 1)
  (func $narrow (param i32 f32) (result f32) (f32.mul (local.get 1) (f32.load (local.get 0))))
  (func $wide (param i32) (result f64) (f64.sqrt (f64.load (local.get 0)))))
