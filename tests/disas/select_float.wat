;; Selects of floats, by a comparison of floats.
;;! show oldest
(module
  (func $min (param f64 f64) (result f64)
    (select (local.get 0) (local.get 1) (f64.lt (local.get 0) (local.get 1))))
  (func $same (param f32 f32 i32) (result f32)
    (select (local.get 0) (local.get 1) (f32.eq (local.get 0) (local.get 1)))))
