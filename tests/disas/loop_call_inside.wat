;; A loop with a call in it: no register is saved for the sake of a question that a call asks as well.
(module
  (func $f (import "env" "f") (param i32))
  (func (param $n i32)
    (loop $again
      (call $f (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
