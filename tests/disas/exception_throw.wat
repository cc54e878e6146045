;; A throw with values.
(module
  (tag $e (param i32 i64))
  (func (param i32 i64) (throw $e (local.get 0) (local.get 1))))
