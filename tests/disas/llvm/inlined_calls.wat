(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $both (param i32 i32) (result i32) (i32.add (call $load (local.get 0)) (call $load (local.get 1)))))
