;; More arguments than registers: the rest goes through memory.
(module
  (func $f (import "env" "f") (param i32 i32 i32 i32 i32 i32 i64 f64))
  (func (param i32 i64 f64)
    (call $f (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (local.get 1) (local.get 2))))
