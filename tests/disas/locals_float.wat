;; Floats in registers of their own, for the whole loop.
(module
  (func (param $n i32) (param $x f64) (result f64)
    (local $sum f64)
    (loop $again
      (local.set $sum (f64.add (local.get $sum) (f64.mul (local.get $x) (local.get $x))))
      (local.set $x (f64.mul (local.get $x) (f64.const 0.5)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
