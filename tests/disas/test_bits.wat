;; An and with a constant, compared with zero.
(module
  (func $even (param i32) (result i32)
    (if (result i32) (i32.eqz (i32.and (local.get 0) (i32.const 1))) (then (i32.const 1)) (else (i32.const 2))))
  (func $masked (param i64 i64) (result i32)
    (if (result i32) (i64.ne (i64.and (local.get 0) (local.get 1)) (i64.const 0)) (then (i32.const 1)) (else (i32.const 2)))))
