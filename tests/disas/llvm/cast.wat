;; A type without subtypes, and one with: by the display of the object's type.
(module
  (type $base (sub (struct (field i32))))
  (type $leaf (sub final $base (struct (field i32) (field i32))))
  (func $final (param anyref) (result i32) (ref.test (ref $leaf) (local.get 0)))
  (func $open (param (ref null $base)) (result i32) (struct.get $base 0 (local.get 0)))
  (func $display (param anyref) (result (ref $base)) (ref.cast (ref $base) (local.get 0))))
