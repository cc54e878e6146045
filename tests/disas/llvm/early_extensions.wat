;; The address is a number of 64 bits in all turns of the loop, whose upper half its addition leaves clear, and so is the
;; one that both arms of an `if` use. Without, each access would have an instruction that extends it.
(module
  (memory 1)
  (func $length (param $at i32) (result i32) (local $from i32)
    (local.set $from (local.get $at))
    (loop $on
      (br_if $on (i32.load8_u (local.tee $at (i32.add (local.get $at) (i32.const 1))))))
    (i32.sub (local.get $at) (local.get $from)))
  (func $list (param $at i32) (param $key i32) (result i32)
    (block $end
      (loop $on
        (br_if $end (i32.eq (i32.load offset=4 (local.get $at)) (local.get $key)))
        (br_if $on (local.tee $at (i32.load (local.get $at))))))
    (local.get $at))
  (func $either (param $at i32) (param $which i32) (result i32)
    (local.set $at (i32.mul (local.get $at) (i32.const 12)))
    (if (result i32) (local.get $which)
      (then (i32.load (local.get $at)))
      (else (i32.store offset=8 (local.get $at) (i32.const 1)) (local.get $at)))))
