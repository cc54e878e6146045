;; Rounding, with AVX and without.
;;! show oldest
(module
  (func (param f32) (result f32) (f32.nearest (local.get 0)))
  (func $floor (param f64) (result f64) (f64.floor (local.get 0))))
