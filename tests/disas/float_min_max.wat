;; Zeros have signs and NaNs are quiet: out of the usual way.
;;! show oldest
(module
  (func $min (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func $max (param f32 f32) (result f32) (f32.max (local.get 0) (local.get 1))))
