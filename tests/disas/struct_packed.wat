;; Packed fields, with sign and without.
(module
  (type $s (struct (field (mut i8)) (field (mut i16)) (field (mut i8))))
  (func (param (ref $s)) (result i32) (i32.add (struct.get_s $s 0 (local.get 0)) (struct.get_u $s 1 (local.get 0))))
  (func $set (param (ref $s) i32) (struct.set $s 2 (local.get 0) (local.get 1))))
