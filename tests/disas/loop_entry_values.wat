;; Where an interpreter's frame is taken over: an operand below the loop, and locals of all kinds.
;;! show ends
(module
  (func (param $n i32) (param $f f32) (param $v v128) (result i32)
    (local.get $n)
    (loop $again
      (local.set $f (f32.add (local.get $f) (f32.const 1)))
      (local.set $v (i8x16.add (local.get $v) (local.get $v)))
      (br_if $again (f32.lt (local.get $f) (f32.const 10))))
    (i32.add (i8x16.extract_lane_u 0 (local.get $v)))))
