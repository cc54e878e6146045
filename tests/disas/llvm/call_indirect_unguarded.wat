;;! without guarded_calls
(module
  (type $unary (func (param i32) (result i32)))
  (table 10 funcref)
  (elem (i32.const 0) $square)
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $caller (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 0) (local.get 1))))
