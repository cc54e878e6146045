;; Comparisons become the flags that a branch looks at, through eqz, too.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (if (i32.lt_s (local.get $a) (local.get $b)) (then (return (i32.const 1))))
    (if (i32.eqz (i32.gt_u (local.get $a) (local.get $b))) (then (return (i32.const 2))))
    (if (i32.eqz (local.get $a)) (then (return (i32.const 3))))
    (select (i32.const 4) (i32.const 5) (i32.ne (local.get $a) (i32.const 7)))))
