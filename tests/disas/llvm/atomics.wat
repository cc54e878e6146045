(module
  (memory 1 1 shared)
  (func $add (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func $swap (param i32 i64 i64) (result i64)
    (i64.atomic.rmw.cmpxchg offset=8 (local.get 0) (local.get 1) (local.get 2)))
  (func $load (param i32) (result i32) (i32.atomic.load8_u (local.get 0))))
