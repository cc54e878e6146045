;; Read, modify, write: with the sum of before, and where nobody wants it.
(module
  (memory 1 1 shared)
  (func (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func $narrow (param i32 i64) (result i64) (i64.atomic.rmw16.add_u offset=2 (local.get 0) (local.get 1))))
