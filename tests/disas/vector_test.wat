;; Whether any or all lanes are true, and their signs.
(module
  (func (param v128) (result i32) (if (result i32) (v128.any_true (local.get 0)) (then (i32.const 1)) (else (i32.const 2))))
  (func $all (param v128) (result i32) (i32x4.all_true (local.get 0)))
  (func $mask (param v128) (result i32) (i16x8.bitmask (local.get 0))))
