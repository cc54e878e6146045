;; Bits are changed in a loop: there is no instruction that gives what was before.
(module
  (memory 1 1 shared)
  (func (param i32 i64) (result i64) (i64.atomic.rmw.and (local.get 0) (local.get 1)))
  (func $xor (param i32 i32) (result i32) (i32.atomic.rmw8.xor_u (local.get 0) (local.get 1))))
