;; Shifts of lanes by constants and by registers.
(module
  (func (param v128) (result v128) (i32x4.shr_u (local.get 0) (i32.const 7)))
  (func $bytes (param v128) (result v128) (i8x16.shl (local.get 0) (i32.const 3)))
  (func $register (param v128 i32) (result v128) (i64x2.shr_s (local.get 0) (local.get 1))))
