;; Locals of both kinds across calls in a loop.
(module
  (func $f (import "env" "f") (param i32) (result f64))
  (func (param $n i32) (result f64)
    (local $sum f64)
    (loop $again
      (local.set $sum (f64.add (local.get $sum) (call $f (local.get $n))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
