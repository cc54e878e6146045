;; Casts to a final type: one comparison.
(module
  (type $s (struct (field i32)))
  (func (param anyref) (result (ref $s)) (ref.cast (ref $s) (local.get 0)))
  (func $test (param anyref) (result i32) (ref.test (ref null $s) (local.get 0))))
