(module
  (func $choose (param i32 i32) (result i32)
    (block $d (block $c (block $b (block $a (br_table $a $b $c $a $d (local.get 0)))
      (return (i32.mul (local.get 1) (i32.const 5))))
      (return (i32.sub (local.get 1) (i32.const 6))))
      (return (i32.div_u (local.get 1) (i32.const 7))))
    (i32.const 8)))
