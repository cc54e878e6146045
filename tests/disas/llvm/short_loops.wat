;;! without unrolled_loops
;; A thousand turns are over soon.
(module
  (func $hash (param $x i32) (result i32) (local $i i32)
    (loop $on
      (local.set $x (i32.rotl (i32.mul (local.get $x) (i32.const 0x45d9f3b)) (local.get $i)))
      (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (local.get $x)))
