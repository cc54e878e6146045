;; A choice by a comparison of floats, in which nothing is equal to a NaN.
(module
  (func $less (param f64 f64 i32 i32) (result i32)
    (select (local.get 2) (local.get 3) (f64.lt (local.get 0) (local.get 1))))
  (func $equal (param f32 f32 f32) (result f32)
    (select (local.get 2) (local.get 1) (f32.eq (local.get 0) (local.get 1)))))
