;; Values that wait for a call to return.
(module
  (func $f (import "env" "f") (result i32))
  (func $g (import "env" "g") (result f64))
  (func (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 3)) (call $f)))
  (func $floats (param f64) (result f64)
    (f64.add (f64.mul (local.get 0) (local.get 0)) (call $g))))
