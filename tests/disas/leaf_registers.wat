;; A function that calls nothing: its locals and the base of its memory are where nobody has to save them.
(module
  (memory 1)
  (func $distance (param $p i32) (param $q i32) (result i32)
    (i32.sub (i32.load (local.get $p)) (i32.load (local.get $q))))
  (func $clamp (param $low i64) (param $high i64) (param $x i64) (result i64)
    (if (i64.lt_s (local.get $x) (local.get $low)) (then (return (local.get $low))))
    (select (local.get $high) (local.get $x) (i64.gt_s (local.get $x) (local.get $high)))))
