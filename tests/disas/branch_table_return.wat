;; A table that leaves the function.
(module
  (func (param i32) (result i32)
    (block $a
      (i32.const 5)
      (br_table 1 1 1 (local.get 0)))
    (i32.const 0)))
