;; A word at a time, from one place to another.
(module
  (memory 1)
  (func (param $to i32) (param $from i32) (param $n i32)
    (loop $again
      (i64.store (local.get $to) (i64.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
