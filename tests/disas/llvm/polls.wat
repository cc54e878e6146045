;; Where the function begins, since it calls something, and at the loop's head.
(module
  (import "host" "step" (func $step (param i32)))
  (func $all (param i32)
    (loop $on
      (call $step (local.get 0))
      (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
