;; A polynomial: constants as operands in memory.
(module
  (func (param $x f64) (result f64)
    (f64.add (f64.const 1)
      (f64.mul (local.get $x)
        (f64.add (f64.const 0.5)
          (f64.mul (local.get $x)
            (f64.add (f64.const 0.25)
              (f64.mul (local.get $x) (f64.const 0.125)))))))))
