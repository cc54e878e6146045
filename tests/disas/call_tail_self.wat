;; A tail call of itself.
(module
  (func $f (param $n i64) (param $x i64) (result i64)
    (if (i64.eqz (local.get $n)) (then (return (local.get $x))))
    (return_call $f (i64.sub (local.get $n) (i64.const 1)) (i64.mul (local.get $x) (local.get $n)))))
