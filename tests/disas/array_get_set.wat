;; Elements of arrays: the index is compared with the length.
(module
  (type $words (array (mut i32)))
  (type $bytes (array (mut i8)))
  (func (param (ref $words) i32) (result i32) (array.get $words (local.get 0) (local.get 1)))
  (func $byte (param (ref $bytes) i32) (result i32) (array.get_s $bytes (local.get 0) (local.get 1)))
  (func $set (param (ref null $words) i32 i32) (array.set $words (local.get 0) (local.get 1) (local.get 2))))
