;; A throw to a handler of its own function.
(module
  (tag $e (param i32))
  (func (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $e $h) (throw $e (local.get 0)))
      (unreachable))))
