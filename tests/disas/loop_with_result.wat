;; A loop that gives a value.
(module
  (func (param $n i64) (result i64)
    (loop $again (result i64)
      (local.set $n (i64.mul (local.get $n) (i64.const 3)))
      (br_if $again (i64.lt_u (local.get $n) (i64.const 1000)))
      (local.get $n))))
