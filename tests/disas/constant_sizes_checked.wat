;; A copy of a few bytes with explicit bounds checks: one for each range.
;;! checks explicit
(module
  (memory 1)
  (func (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 12))))
