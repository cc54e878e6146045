;; Rounding in four directions.
;;! show oldest
(module
  (func $ceil (param f64) (result f64) (f64.ceil (local.get 0)))
  (func $floor (param f64) (result f64) (f64.floor (local.get 0)))
  (func $trunc (param f32) (result f32) (f32.trunc (local.get 0)))
  (func $nearest (param f32) (result f32) (f32.nearest (local.get 0))))
