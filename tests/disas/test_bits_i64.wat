;; Whether bits of 64 are zero.
(module
  (func (param i64 i64) (result i32)
    (if (result i32) (i64.eqz (i64.and (local.get 0) (local.get 1))) (then (i32.const 3)) (else (i32.const 4))))
  (func $value (param i64) (result i32) (i64.eqz (i64.and (local.get 0) (i64.const 255)))))
