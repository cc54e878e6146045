;; Ranges of arrays are the runtime's.
(module
  (type $words (array (mut i32)))
  (func (param (ref $words) (ref $words)) (array.copy $words $words (local.get 0) (i32.const 0) (local.get 1) (i32.const 1) (i32.const 2)))
  (func $fill (param (ref $words) i32) (array.fill $words (local.get 0) (i32.const 0) (local.get 1) (i32.const 4))))
