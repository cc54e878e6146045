;; Floats in registers go home around a call.
(module
  (func $f (import "env" "f") (param f64) (result f64))
  (func (param $x f64) (param $y f64) (result f64)
    (local.set $x (f64.mul (local.get $x) (local.get $y)))
    (local.set $y (f64.add (local.get $x) (local.get $y)))
    (local.set $y (f64.add (call $f (local.get $x)) (local.get $y)))
    (f64.div (local.get $y) (f64.mul (local.get $x) (local.get $x)))))
