;; What code that charges has in front of branches, calls, labels and returns.
;;! charge fuel
;;! show ends
(module
  (func $host (import "env" "host"))
  (func $straight (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func $choice (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 5))
      (then (i32.const 1))
      (else (i32.mul (local.get 0) (local.get 0)))))
  (func $count (param $n i32)
    (loop $again
      (br_if $again (i32.ne (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 3)))))
  (func $calls (param i32)
    (call $host)
    (drop (call $straight (local.get 0) (i32.const 1)))
    (return_call $count (local.get 0))))
