;;! only $caller
;; Of more than four that are tiny, the place of its reference says which it is.
(module
  (type $unary (func (param i32) (result i32)))
  (table 10 funcref)
  (elem (i32.const 0) $double $triple $negate $next $square $invert)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $next (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $invert (type $unary) (i32.xor (local.get 0) (i32.const -1)))
  (func $caller (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 0) (local.get 1))))
