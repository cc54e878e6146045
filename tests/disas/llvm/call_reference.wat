;; The only function that a reference of the type may be, as far as the module shows.
(module
  (type $binary (func (param i32 i32) (result i32)))
  (elem declare func $less)
  (func $less (type $binary) (i32.lt_s (local.get 0) (local.get 1)))
  (func $apply (param (ref null $binary) i32) (result i32)
    (call_ref $binary (local.get 1) (i32.const 40) (local.get 0))))
