;;! checks explicit
(module
  (memory 1)
  (func $both (param i32 i64)
    (i64.store (local.get 0) (local.get 1))
    (i64.store offset=8 (local.get 0) (local.get 1))))
