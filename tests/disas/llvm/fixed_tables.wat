;;! without guarded_calls
;; As many as there may be: the size is a number, and where they lie is loaded before the loop.
(module
  (type $unary (func (param i32) (result i32)))
  (table 5 5 funcref)
  (elem (i32.const 0) $square)
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $caller (param $count i32) (result i32)
    (loop $again
      (drop (call_indirect (type $unary) (local.get $count) (i32.and (local.get $count) (i32.const 7))))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (table.size)))
