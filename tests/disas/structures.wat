;; Structures and arrays of the collected heap.
(module
  (type $point (struct (field $x (mut i32)) (field $y f64)))
  (type $bytes (array (mut i8)))
  (func $get (param (ref $point)) (result i32) (struct.get $point $x (local.get 0)))
  (func $set (param (ref null $point) i32) (struct.set $point $x (local.get 0) (local.get 1)))
  (func $element (param (ref $bytes) i32) (result i32) (array.get_u $bytes (local.get 0) (local.get 1)))
  (func $length (param (ref $bytes)) (result i32) (array.len (local.get 0)))
  (func $i31 (param i32) (result i32) (i31.get_s (ref.i31 (local.get 0)))))
