;; An argument comes in a register of 64 bits, and one less goes on in one: the subtraction clears its upper half.
(module
  (import "" "f" (func $f (param i32 i32)))
  (func $before (param i32 i32) (call $f (i32.sub (local.get 0) (i32.const 1)) (i32.mul (local.get 1) (i32.const -3)))))
