;; A loop over a memory whose addresses have 64 bits.
(module
  (memory i64 1)
  (func (param $p i64) (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.load (local.get $p))))
      (local.set $p (i64.add (local.get $p) (i64.const 8)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum)))
