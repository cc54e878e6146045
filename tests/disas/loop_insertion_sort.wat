;; A loop that loads, compares and stores.
(module
  (memory 1)
  (func (param $base i32) (param $j i32) (param $key i32)
    (block $done
      (loop $again
        (br_if $done (i32.lt_s (local.get $j) (i32.const 0)))
        (br_if $done
          (i32.le_s (i32.load (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))) (local.get $key)))
        (i32.store offset=4 (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))
          (i32.load (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))))
        (local.set $j (i32.sub (local.get $j) (i32.const 1)))
        (br $again)))
    (i32.store offset=4 (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2))) (local.get $key))))
