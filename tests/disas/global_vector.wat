;; Vectors and references in globals.
(module
  (global $v (mut v128) (v128.const i64x2 0 0))
  (global $r (mut externref) (ref.null extern))
  (func (param v128) (result v128) (global.get $v) (global.set $v (local.get 0)))
  (func $swap (param externref) (result externref) (global.get $r) (global.set $r (local.get 0))))
