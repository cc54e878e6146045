;; A table of one, and one that is nothing but its default.
(module
  (func $one (param $a i32) (result i32)
    (block $default
      (block $zero
        (br_table $zero $default (local.get $a)))
      (return (i32.const 10)))
    (i32.const 13))
  (func $none (param $a i32) (result i32)
    (block $default
      (br_table $default (local.get $a)))
    (i32.const 13)))
