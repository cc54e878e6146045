;; Tables of two labels are a comparison, those of one nothing.
(module
  (func $one (param i32) (result i32)
    (block $a (block $b (br_table $a $b (local.get 0))) (return (i32.const 1)))
    (i32.const 2))
  (func $default (param i32) (result i32)
    (block $a (br_table $a (local.get 0)))
    (i32.const 2)))
