;; null, is_null, func.
(module
  (func $f (export "f"))
  (func $null (result funcref) (ref.null func))
  (func $is_null (param externref) (result i32) (ref.is_null (local.get 0)))
  (func $branch (param externref) (result i32)
    (if (result i32) (ref.is_null (local.get 0)) (then (i32.const 1)) (else (i32.const 2))))
  (func $func (result funcref) (ref.func $f)))
