;; Comparisons of floats that branch, and their opposites, with NaNs in mind.
;;! show oldest
(module
  (func $lt (param f64 f64) (result i32)
    (if (result i32) (f64.lt (local.get 0) (local.get 1)) (then (i32.const 1)) (else (i32.const 2))))
  (func $not_lt (param f64 f64) (result i32)
    (if (result i32) (i32.eqz (f64.lt (local.get 0) (local.get 1))) (then (i32.const 1)) (else (i32.const 2))))
  (func $eq (param f64 f64) (result i32)
    (if (result i32) (f64.eq (local.get 0) (local.get 1)) (then (i32.const 1)) (else (i32.const 2))))
  (func $ne (param f64 f64) (result i32)
    (block $out
      (br_if $out (f64.ne (local.get 0) (local.get 1)))
      (return (i32.const 1)))
    (i32.const 2)))
