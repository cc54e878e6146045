;; A table that another module may have made.
(module
  (type $f (func (param i32) (result i32)))
  (table (import "env" "t") 1 funcref)
  (func (param i32 i32) (result i32) (call_indirect (type $f) (local.get 0) (local.get 1))))
