;; Atomic accesses.
(module
  (memory 1 1 shared)
  (func $load (param i32) (result i32) (i32.atomic.load (local.get 0)))
  (func $store (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))
  (func $add (param i32 i64) (result i64) (i64.atomic.rmw.add (local.get 0) (local.get 1)))
  (func $exchange (param i32 i32 i32) (result i32)
    (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2))))
