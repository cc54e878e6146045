;; Explicit bounds of an atomic access, whose address is aligned as well.
;;! checks explicit
(module
  (memory 1 1 shared)
  (func (param i32) (result i64) (i64.atomic.load offset=8 (local.get 0)))
  (func $store (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1))))
