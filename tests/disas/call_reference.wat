;; A call of a reference, which may be null.
(module
  (type $f (func (param i32) (result i32)))
  (func $null (param i32 (ref null $f)) (result i32) (call_ref $f (local.get 0) (local.get 1)))
  (func $not_null (param i32 (ref $f)) (result i32) (call_ref $f (local.get 0) (local.get 1))))
