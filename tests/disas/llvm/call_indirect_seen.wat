;;! only $caller
;;! reached $cube 90 $triple 60 $double 3 others 5
;; Of many that it may be, this call has reached two nearly always.
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
