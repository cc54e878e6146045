;;! only $caller
;; $small is of another unit, and its body is here all the same.
(module
  (func $small (param i32) (result i32) (i32.mul (local.get 0) (i32.const 17)))
  (func $caller (param i32) (result i32) (i32.add (call $small (local.get 0)) (i32.const 3))))
