;; A table whose labels are around loops with registers of their own.
(module
  (func (param $n i32) (param $m i32) (result i32) (local $i i32)
    (block $done
      (loop $outer
        (loop $inner
          (local.set $i (i32.add (local.get $i) (local.get $m)))
          (br_table $inner $outer $done (i32.and (local.get $i) (i32.const 3))))))
    (local.get $i)))
