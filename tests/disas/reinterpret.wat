;; Bits as another type.
(module
  (func (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
  (func $float (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
  (func $stored (param f32) (result i32) (i32.and (i32.reinterpret_f32 (local.get 0)) (i32.const 0x7fffff))))
