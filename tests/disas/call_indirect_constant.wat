;; An index that is known.
(module
  (type $f (func (result i32)))
  (table 10 10 funcref)
  (func (result i32) (call_indirect (type $f) (i32.const 3))))
