;; Arguments in registers of both kinds, and those that have none.
(module
  (func $callee (import "env" "callee") (param i32 f64 i64 f32 i32 i32 i32 i32))
  (func (param i32 f64)
    (call $callee (local.get 0) (local.get 1) (i64.const 3) (f32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)
      (local.get 0))))
