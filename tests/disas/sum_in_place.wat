;; A sum whose operand is the local that it goes to takes two operands, any other one three.
(module
  (func (param $a i32) (param $b i32) (param $c i32) (result i32)
    (local.set $a (i32.add (local.get $a) (local.get $b)))
    (local.set $b (i32.add (local.get $c) (local.get $b)))
    (local.set $c (i32.add (local.get $a) (local.get $b)))
    (i32.add (local.get $c) (local.get $a))))
