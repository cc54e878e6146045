;;! without branchless_selects
;; The same, as LLVM likes it: the processor foretells which child is the larger one.
(module
  (memory 1)
  (func $sift (param $value i32) (param $size i32) (local $at i32) (local $child i32) (local $larger i32)
    (block $found
      (loop $down
        (br_if $found (i32.ge_u (local.tee $child (i32.add (i32.shl (local.get $at) (i32.const 1)) (i32.const 1)))
                                (local.get $size)))
        (local.set $child
          (select
            (i32.add (local.get $child) (i32.const 1))
            (local.get $child)
            (i32.gt_u (i32.load offset=4 (i32.shl (local.get $child) (i32.const 2)))
                      (i32.load (i32.shl (local.get $child) (i32.const 2))))))
        (br_if $found (i32.le_u (local.tee $larger (i32.load (i32.shl (local.get $child) (i32.const 2))))
                                (local.get $value)))
        (i32.store (i32.shl (local.get $at) (i32.const 2)) (local.get $larger))
        (local.set $at (local.get $child))
        (br $down)))
    (i32.store (i32.shl (local.get $at) (i32.const 2)) (local.get $value))))
