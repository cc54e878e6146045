;;! without unrolled_loops
(module
  (memory 1)
  (func $sum (param $count i64) (result i32) (local $i i64) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.wrap_i64 (i64.shl (local.get $i) (i64.const 2))))))
      (br_if $on (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (local.get $count))))
    (local.get $sum)))
