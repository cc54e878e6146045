;; The way into a loop from the interpreter with explicit bounds checks.
;;! checks explicit
;;! show ends
(module
  (memory 1)
  (func (param $p i32)
    (loop $again
      (i32.store8 (local.get $p) (i32.const 0))
      (br_if $again (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))))
