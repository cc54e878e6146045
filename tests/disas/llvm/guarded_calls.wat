;; The table holds one function of the type, so that is whom it calls most likely; its body is there where it is.
(module
  (type $unary (func (param i32) (result i32)))
  (table 10 funcref)
  (elem (i32.const 0) $square $other)
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $other (result i64) (i64.const 3))
  (func $through_table (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (local.get 1))))
