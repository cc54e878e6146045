;; An `if` that only changes a local.
(module
  (func (param i32 i32) (result i32)
    (if (i32.gt_u (local.get 0) (local.get 1)) (then (local.set 0 (local.get 1))))
    (local.get 0)))
