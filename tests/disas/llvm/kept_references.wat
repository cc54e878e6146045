;; What is needed behind the call is in the frame before it.
(module
  (import "host" "collect" (func $collect))
  (type $pair (struct (field i32) (field i32)))
  (func $later (param (ref $pair) (ref $pair)) (result i32)
    (call $collect)
    (struct.get $pair 1 (local.get 0))))
