;; The second table, whose indices have 64 bits.
(module
  (type $f (func))
  (table 1 funcref)
  (table $t i64 1 funcref)
  (func (param i64) (call_indirect $t (type $f) (local.get 0))))
