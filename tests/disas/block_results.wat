;; Two values from a block, over others that stay.
(module
  (func (param i32 i64) (result i32 i64)
    (i32.const 1)
    (block $l (result i32 i64)
      (i32.const 7)
      (local.get 0)
      (local.get 1)
      (br_if $l (i32.eqz (local.get 0)))
      (br $l))
    (local.set 1)
    (i32.add)
    (local.get 1)))
