;; Two words in each turn, as compilers unroll loops: rolled up, it is eight in vectors.
(module
  (memory 1)
  (func (param $to i32) (param $from i32) (param $count i32) (local $i i32)
    (loop $again
      (i32.store (local.get $to) (i32.add (i32.load (local.get $from)) (i32.const 5)))
      (i32.store (i32.add (local.get $to) (i32.const 4))
                 (i32.add (i32.load (i32.add (local.get $from) (i32.const 4))) (i32.const 5)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $again (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 2))) (local.get $count))))))
