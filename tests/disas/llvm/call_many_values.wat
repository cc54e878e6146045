;; What has no register goes through the stack of slots.
(module
  (import "host" "f" (func $f (param i32 i32 i32 i32 i32 i32 i32) (result i32 i32 i32 i32)))
  (func $caller (param i32) (result i32)
    (call $f (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (local.get 0) (i32.const 7))
    (i32.add) (i32.add) (i32.add)))
