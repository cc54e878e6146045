;;! without unrolled_loops
;; The inner loop, which turns seldom, has no poll; the outer one has.
(module
  (memory 1)
  (func $mix (param $n i32) (result i32) (local $i i32) (local $sum i32)
    (loop $outer
      (local.set $i (i32.const 0))
      (loop $inner
        (local.set $sum (i32.rotl (i32.xor (local.get $sum) (i32.load8_u (local.get $i))) (local.get $n)))
        (br_if $inner (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
      (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
