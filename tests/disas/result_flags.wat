;; Comparisons with zero behind the operation: its flags have the answer, but those that overflow decides.
(module
  (func $until_zero (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $until_negative (param $n i64)
    (loop $again
      (br_if $again (i64.ge_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))))
  (func $is_zero (param $a i32) (param $b i32) (result i32)
    (i32.eqz (i32.xor (local.get $a) (local.get $b))))
  (func $is_positive (param $a i32) (param $b i32) (result i32)
    (i32.gt_s (i32.add (local.get $a) (local.get $b)) (i32.const 0))))
