;; More floats than registers: operands from homes.
(module
  (func (param f64 f64 f64 f64 f64 f64 f64 f64) (result f64)
    (f64.add
      (f64.add (f64.mul (local.get 0) (local.get 1)) (f64.mul (local.get 2) (local.get 3)))
      (f64.add (f64.mul (local.get 4) (local.get 5)) (f64.mul (local.get 6) (local.get 7))))))
