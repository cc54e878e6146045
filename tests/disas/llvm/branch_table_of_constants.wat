;; LLVM makes a table of the values.
(module
  (func $choose (param i32) (result i32)
    (block $d (block $c (block $b (block $a (br_table $a $b $c $d (local.get 0)))
      (return (i32.const 5))) (return (i32.const 600))) (return (i32.const 7)))
    (i32.const 81)))
