;; Null references.
(module
  (type $s (struct (field i32)))
  (func (param (ref null $s)) (result i32) (struct.get $s 0 (local.get 0)))
  (func $once (param (ref null $s)) (result (ref $s)) (ref.as_non_null (local.get 0))))
