;;! only $caller
;;! reached $double 4
;; A tail call by reference that was seen, of a function that no table holds.
(module
  (type $unary (func (param i32) (result i32)))
  (elem declare func $double)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $caller (param i32 (ref null $unary)) (result i32) (return_call_ref $unary (local.get 0) (local.get 1))))
