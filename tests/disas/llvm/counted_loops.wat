;;! without unrolled_loops
;; Unrolled by whoever made the module: it counts by two until it meets a number.
(module
  (memory 1)
  (func $sum (param $i i32) (param $end i32) (result i32) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum)
        (i32.add (i32.load (local.get $i)) (i32.load offset=4 (local.get $i)))))
      (br_if $on (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 8))) (local.get $end))))
    (local.get $sum)))
