;; Arithmetic of floats in lanes.
;;! show oldest
(module
  (func (param v128 v128) (result v128) (f32x4.mul (f32x4.sqrt (local.get 0)) (f32x4.sub (local.get 0) (local.get 1))))
  (func $least (param v128 v128) (result v128) (f64x2.min (local.get 0) (local.get 1)))
  (func $pseudo (param v128 v128) (result v128) (f32x4.pmax (local.get 0) (local.get 1))))
