;; A switch in a loop, with a value for the labels.
(module
  (func (param $a i32) (param $n i32) (result i32)
    (loop $again (result i32)
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (block $done (result i32)
        (block $other (result i32)
          (br_table $other $done $other (local.get $a) (local.get $n)))
        (i32.add (i32.const 5))
        (local.set $a)
        (br $again)))))
