;; abs, neg, copysign touch one bit.
;;! show oldest
(module
  (func $abs (param f64) (result f64) (f64.abs (local.get 0)))
  (func $neg (param f32) (result f32) (f32.neg (local.get 0)))
  (func $copysign (param f64 f64) (result f64) (f64.copysign (local.get 0) (local.get 1))))
