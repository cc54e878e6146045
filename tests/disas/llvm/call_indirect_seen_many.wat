;;! only $caller
;;! reached $double 20 $triple 20 $negate 20 $cube 20 others 20
;; This call has reached too many: nobody is looked for.
(module
  (type $unary (func (param i32) (result i32)))
  (table 10 funcref)
  (elem (i32.const 0) $double $triple $negate $cube $same)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $cube (type $unary) (i32.mul (local.get 0) (i32.mul (local.get 0) (local.get 0))))
  (func $same (type $unary) (local.get 0))
  (func $caller (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 0) (local.get 1))))
