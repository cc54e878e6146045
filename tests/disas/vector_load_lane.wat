;; Single lanes from memory and back.
(module
  (memory 1)
  (func (param i32 v128) (result v128) (v128.load32_lane 2 (local.get 0) (local.get 1)))
  (func $store (param i32 v128) (v128.store16_lane 5 (local.get 0) (local.get 1))))
