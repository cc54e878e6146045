;; A comparison that is kept as a number.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (local $less i32)
    (local.set $less (i32.lt_u (local.get $a) (local.get $b)))
    (i32.add (local.get $less) (i32.lt_u (local.get $b) (i32.const 3)))))
