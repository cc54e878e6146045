;; A value that is converted where it is loaded.
(module
  (memory 1)
  (func $integer (param i32) (result f64) (f64.convert_i32_s (i32.load (local.get 0))))
  (func $float (param i32) (result f64) (f64.promote_f32 (f32.load (local.get 0))))
  (func $wrap (param i32) (result i32) (i32.wrap_i64 (i64.load (local.get 0))))
  (func $extend (param i32) (result i64) (i64.extend_i32_u (i32.load (local.get 0)))))
