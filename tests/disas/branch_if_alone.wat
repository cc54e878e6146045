;; An if without else around a store to a local.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (if (i32.gt_u (local.get $a) (i32.const 100)) (then (local.set $b (i32.const 0))))
    (local.get $b)))
