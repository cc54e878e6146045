;; Quotient and remainder of one number.
(module
  (memory 1)
  (func (param $n i32) (param $p i32) (result i32)
    (local $quotient i32)
    (loop $again
      (local.set $quotient (i32.div_u (local.get $n) (i32.const 10)))
      (i32.store8 (local.get $p)
        (i32.add (i32.sub (local.get $n) (i32.mul (local.get $quotient) (i32.const 10))) (i32.const 48)))
      (local.set $p (i32.sub (local.get $p) (i32.const 1)))
      (br_if $again (local.tee $n (local.get $quotient))))
    (local.get $p)))
