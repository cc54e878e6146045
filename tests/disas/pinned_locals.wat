;; The locals that are used most live in registers, across the loop and the call.
(module
  (func $step (param i32) (result i32) (local.get 0))
  (func $run (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $step (local.get $n))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
