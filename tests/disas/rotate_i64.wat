;; Rotations of 64 bits, by constants and registers.
(module
  (func (param i64) (result i64) (i64.rotl (local.get 0) (i64.const 13)))
  (func $right (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1))))
