;; Recursion is too deep to be made a part of itself.
(module
  (func $sum (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.mul (local.get 0) (local.get 0)) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))
