;; Constants of floats: operands from memory, and zero.
(module
  (func (param f64) (result f64) (f64.add (f64.mul (local.get 0) (f64.const 2.5)) (f64.const 1)))
  (func $zero (param f32) (result i32) (f32.gt (local.get 0) (f32.const 0))))
