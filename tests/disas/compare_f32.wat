;; Comparisons of f32 as numbers: false where one is a NaN, but for ne.
;;! show oldest
(module
  (func $eq (param f32 f32) (result i32) (f32.eq (local.get 0) (local.get 1)))
  (func $ne (param f32 f32) (result i32) (f32.ne (local.get 0) (local.get 1)))
  (func $lt (param f32 f32) (result i32) (f32.lt (local.get 0) (local.get 1)))
  (func $gt (param f32 f32) (result i32) (f32.gt (local.get 0) (local.get 1)))
  (func $le (param f32 f32) (result i32) (f32.le (local.get 0) (local.get 1)))
  (func $ge (param f32 f32) (result i32) (f32.ge (local.get 0) (local.get 1))))
