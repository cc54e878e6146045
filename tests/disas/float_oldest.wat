;; Arithmetic of two operands, on a machine without AVX.
;;! show oldest
(module
  (func (param f64 f64) (result f64) (f64.sub (local.get 1) (f64.mul (local.get 0) (local.get 1))))
  (func $compare (param f32 f32) (result i32) (f32.le (local.get 0) (local.get 1))))
