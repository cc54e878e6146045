;; Out of two blocks.
(module
  (func (param $a i32) (param $b i32) (result i32)
    (block $outer
      (block $inner
        (br_if $outer (local.get $a))
        (br_if $inner (local.get $b))
        (return (i32.const 3)))
      (return (i32.const 2)))
    (i32.const 1)))
