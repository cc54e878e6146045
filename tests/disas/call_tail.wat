;; Tail calls: to itself, through a table.
(module
  (type $f (func (param i32 i32) (result i32)))
  (table 4 funcref)
  (func $sum (param $n i32) (param $sum i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $sum))))
    (return_call $sum (i32.sub (local.get $n) (i32.const 1)) (i32.add (local.get $sum) (local.get $n))))
  (func $through (param $n i32) (param $i i32) (result i32)
    (return_call_indirect (type $f) (local.get $n) (local.get $n) (local.get $i))))
