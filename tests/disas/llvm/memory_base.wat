;; One load of the base, in front of the loop.
(module
  (memory 1)
  (func $clear (param $at i32)
    (loop $on
      (i32.store (local.get $at) (i32.const 0))
      (br_if $on (i32.load (local.tee $at (i32.add (local.get $at) (i32.const 4))))))))
