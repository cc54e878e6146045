;; Comparisons with constants on either side.
(module
  (func $right (param i32) (result i32)
    (if (result i32) (i32.gt_s (local.get 0) (i32.const 10)) (then (i32.const 1)) (else (i32.const 2))))
  (func $left (param i32) (result i32)
    (if (result i32) (i32.gt_s (i32.const 10) (local.get 0)) (then (i32.const 1)) (else (i32.const 2))))
  (func $zero (param i64) (result i32)
    (if (result i32) (i64.eq (local.get 0) (i64.const 0)) (then (i32.const 1)) (else (i32.const 2))))
  (func $wide (param i64) (result i32)
    (if (result i32) (i64.lt_u (local.get 0) (i64.const 0x1000000000)) (then (i32.const 1)) (else (i32.const 2)))))
