;; A trap, and how it tells where.
;;! show ends
(module
  (func (param i32) (result i32)
    (if (local.get 0) (then (unreachable)))
    (i32.const 1)))
