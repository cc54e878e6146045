;; A tail call in either arm.
(module
  (type $unary (func (param i32) (result i32)))
  (table 10 funcref)
  (elem (i32.const 0) $loop)
  (func $loop (type $unary)
    (if (result i32) (local.get 0)
      (then (return_call_indirect (type $unary) (i32.sub (local.get 0) (i32.const 1)) (local.get 0)))
      (else (i32.const 8)))))
