;; Two conditions in one branch.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (loop $again
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (br_if $again (i32.and (i32.lt_u (local.get $a) (local.get $b)) (i32.ne (local.get $a) (i32.const 9)))))
    (local.get $a)))
