;; A tail call through a reference.
(module
  (type $f (func (param i32) (result i32)))
  (func (param (ref null $f) i32) (result i32) (return_call_ref $f (local.get 1) (local.get 0))))
