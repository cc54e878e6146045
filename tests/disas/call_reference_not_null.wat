;; A reference that cannot be null is not tested.
(module
  (type $f (func (result i32)))
  (func (param (ref $f)) (result i32) (call_ref $f (local.get 0))))
