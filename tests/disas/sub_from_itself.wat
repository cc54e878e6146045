;; x = y - x wants a register more.
(module
  (func (param $x i32) (param $y i32) (result i32)
    (loop $again
      (local.set $x (i32.sub (local.get $y) (local.get $x)))
      (br_if $again (local.get $x)))
    (local.get $x)))
