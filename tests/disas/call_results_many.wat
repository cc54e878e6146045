;; More results than registers.
(module
  (func $f (import "env" "f") (result i32 i64 i32 f32 f32 f32))
  (func (result i32 i64 i32 f32 f32 f32) (call $f)))
