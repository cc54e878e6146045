;; Vectors as arguments and results.
(module
  (func $f (import "env" "f") (param v128 v128) (result v128))
  (func (param v128 v128) (result v128) (i32x4.add (call $f (local.get 1) (local.get 0)) (local.get 1))))
