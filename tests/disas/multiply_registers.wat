;; Products of locals, and one in place.
(module
  (func (param i32 i32) (result i32)
    (local.set 0 (i32.mul (local.get 0) (local.get 1)))
    (i32.mul (local.get 0) (local.get 0))))
