;; A loop that is left in its middle and at its end.
(module
  (memory 1)
  (func (param $p i32) (param $end i32) (result i32)
    (block $found
      (loop $again
        (br_if $found (i32.eq (i32.load8_u (local.get $p)) (i32.const 10)))
        (br_if $again (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 1))) (local.get $end))))
      (return (i32.const -1)))
    (local.get $p)))
