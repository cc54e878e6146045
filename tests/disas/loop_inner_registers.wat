;; An inner loop takes a register from a local that only the outer one uses.
(module
  (func (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $e i32) (param $f i32) (result i32)
    (local $i i32) (local $j i32) (local $x i32) (local $y i32) (local $z i32)
    (loop $outer
      (local.set $x (i32.add (local.get $x) (i32.xor (local.get $a) (i32.mul (local.get $b) (local.get $c)))))
      (local.set $j (local.get $d))
      (loop $inner
        (local.set $y (i32.add (local.get $y) (local.get $e)))
        (local.set $z (i32.xor (local.get $z) (i32.add (local.get $y) (local.get $f))))
        (br_if $inner (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $a))))
    (i32.add (local.get $x) (local.get $z))))
