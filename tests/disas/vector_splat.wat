;; The same in all lanes, from registers and constants.
;;! show oldest
(module
  (func (param i32) (result v128) (i8x16.splat (local.get 0)))
  (func $float (param f32) (result v128) (f32x4.splat (local.get 0)))
  (func $constant (result v128) (v128.const i32x4 1 2 3 4))
  (func $ones (result v128) (v128.const i64x2 -1 -1)))
