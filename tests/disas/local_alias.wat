;; A value taken before its local changes.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (local.get $a)
    (local.set $a (i32.add (local.get $a) (i32.const 1)))
    (local.get $a)
    (i32.mul)))
