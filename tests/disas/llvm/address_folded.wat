;; The index, scaled, and the offset are parts of one instruction's address.
(module
  (memory 1)
  (func $element (param $array i32) (param $i i32) (result i32)
    (i32.load offset=16 (i32.add (i32.shl (i32.and (local.get $i) (i32.const 1023)) (i32.const 2)) (i32.const 64))))
  (func $increment (param i32)
    (i32.store offset=4 (local.get 0) (i32.add (i32.load offset=4 (local.get 0)) (i32.const 1)))))
