;;! without unrolled_loops
;; In vectors, since the loop is one of them.
(module
  (memory 1)
  (func $convert (param $from i32) (param $to i32) (param $count i32)
    (loop $on
      (i32.store (local.get $to) (i32.trunc_sat_f32_s (f32.load (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $on (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
