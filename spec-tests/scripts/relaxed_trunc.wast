;; The official suite defines these functions and calls none of them. Results are those that wasirun chose: saturating,
;; and 0 for NaN (docs/conformance.md).
(module
  (func (export "f32x4_s") (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_s (local.get 0)))
  (func (export "f32x4_u") (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_u (local.get 0)))
  (func (export "f64x2_s_zero") (param v128) (result v128) (i32x4.relaxed_trunc_f64x2_s_zero (local.get 0)))
  (func (export "f64x2_u_zero") (param v128) (result v128) (i32x4.relaxed_trunc_f64x2_u_zero (local.get 0))))

(assert_return (invoke "f32x4_s" (v128.const f32x4 1.9 -1.9 0x1p30 -0x1p31)) (v128.const i32x4 1 -1 0x40000000 0x80000000))
(assert_return (invoke "f32x4_s" (v128.const f32x4 nan 0x1p31 -inf inf)) (v128.const i32x4 0 0x7fffffff 0x80000000 0x7fffffff))
(assert_return (invoke "f32x4_u" (v128.const f32x4 1.9 0x1p31 0 0xffffff00)) (v128.const i32x4 1 0x80000000 0 0xffffff00))
(assert_return (invoke "f32x4_u" (v128.const f32x4 nan -1 -inf inf)) (v128.const i32x4 0 0 0 0xffffffff))
(assert_return (invoke "f64x2_s_zero" (v128.const f64x2 -1.9 0x1p30)) (v128.const i32x4 -1 0x40000000 0 0))
(assert_return (invoke "f64x2_s_zero" (v128.const f64x2 nan -1e300)) (v128.const i32x4 0 0x80000000 0 0))
(assert_return (invoke "f64x2_u_zero" (v128.const f64x2 1.9 0xfffffffe)) (v128.const i32x4 1 0xfffffffe 0 0))
(assert_return (invoke "f64x2_u_zero" (v128.const f64x2 -1 1e300)) (v128.const i32x4 0 0xffffffff 0 0))
