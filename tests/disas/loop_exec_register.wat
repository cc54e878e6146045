;; A register that is left over has what each iteration asks whether somebody wants the guest to stop.
(module
  (func (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (i32.xor (i32.rotl (local.get $x) (i32.const 5)) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
