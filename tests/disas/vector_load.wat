;; Loads that widen, repeat, or clear the rest.
(module
  (memory 1)
  (func (param i32) (result v128) (v128.load8x8_u (local.get 0)))
  (func $splat (param i32) (result v128) (v128.load32_splat offset=4 (local.get 0)))
  (func $zero (param i32) (result v128) (v128.load64_zero (local.get 0))))
