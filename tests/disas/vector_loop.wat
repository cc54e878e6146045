;; A sum of lanes, the vector in a register for the whole loop.
(module
  (memory 1)
  (func (param $p i32) (param $n i32) (result i32)
    (local $sum v128)
    (loop $again
      (local.set $sum (i32x4.add (local.get $sum) (v128.load (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 4)))))
    (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))))
