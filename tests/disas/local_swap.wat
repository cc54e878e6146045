;; Two locals change places.
(module
  (func (param $a i32) (param $b i32) (param $n i32) (result i32)
    (loop $again
      (local.get $a)
      (local.get $b)
      (local.set $a)
      (local.set $b)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.sub (local.get $a) (local.get $b))))
