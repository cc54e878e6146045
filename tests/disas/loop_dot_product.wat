;; Two arrays of floats, indexed.
(module
  (memory 1)
  (func (param $a i32) (param $b i32) (param $n i32) (result f64)
    (local $i i32) (local $sum f64)
    (loop $again
      (local.set $sum
        (f64.add (local.get $sum)
          (f64.mul
            (f64.load (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 3))))
            (f64.load (i32.add (local.get $b) (i32.shl (local.get $i) (i32.const 3)))))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum)))
