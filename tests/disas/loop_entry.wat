;; What stands behind a loop: the way in for a frame of the interpreter, and the poll's other half.
;;! show ends
(module
  (func (param $n i32) (param $x f64) (result f64)
    (loop $again
      (local.set $x (f64.add (local.get $x) (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))
