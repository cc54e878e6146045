;;! loop $sum
;; Where a call of another tier goes on: locals and operands come from its frame.
(module
  (memory 1)
  (func $sum (param $n i32) (param $f f64) (result f64)
    (f64.const 1)
    (loop $on (param f64) (result f64)
      (f64.add (f64.load (local.get $n)))
      (f64.mul (local.get $f))
      (br_if $on (local.tee $n (i32.sub (local.get $n) (i32.const 8)))))))
