;; The offset is a part of the address, up to what an instruction can say.
(module
  (memory 1)
  (func $small (param i32) (result i32) (i32.load offset=12 (local.get 0)))
  (func $large (param i32) (result i32) (i32.load offset=0x7fffffff (local.get 0)))
  (func $larger (param i32) (result i32) (i32.load offset=0x80000000 (local.get 0))))
