;; A sum in an address wraps at 32 bits: it is no part of the address.
(module
  (memory 1)
  (func $constant (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const 8))))
  (func $register (param i32 i32) (result i32) (i32.load (i32.add (local.get 0) (local.get 1))))
  (func $scaled (param i32 i32) (result i32)
    (i32.load (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 2))))))
