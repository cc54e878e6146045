;; A call within the module.
(module
  (func $callee (param i32) (result i32) (local.get 0))
  (func $caller (param i32 i32) (result i32)
    (i32.add (call $callee (local.get 0)) (local.get 1))))
