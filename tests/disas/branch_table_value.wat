;; A table whose labels take a value.
(module
  (func (param i32 i64) (result i64)
    (block $a (result i64)
      (block $b (result i64)
        (br_table $a $b $a (local.get 1) (local.get 0)))
      (i64.add (i64.const 1)))))
