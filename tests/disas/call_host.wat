;; Functions of the host are called as any other.
(module
  (func $f (import "env" "f") (param i32 i64 f32 f64) (result f64))
  (func (param i32 i64 f32 f64) (result f64)
    (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
