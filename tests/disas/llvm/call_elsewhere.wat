;;! only $caller
;; Through the record of a function that is compiled in another unit, and is too large for a copy.
(module
  (memory 1)
  (func $other (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0)) (memory.fill (i32.const 10) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 20) (i32.const 1) (local.get 0)) (memory.fill (i32.const 30) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 40) (i32.const 1) (local.get 0)) (memory.fill (i32.const 50) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 60) (i32.const 1) (local.get 0)) (memory.fill (i32.const 70) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 80) (i32.const 1) (local.get 0)) (memory.fill (i32.const 90) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 80) (i32.const 1) (local.get 0)) (memory.fill (i32.const 90) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 80) (i32.const 1) (local.get 0)) (memory.fill (i32.const 90) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 80) (i32.const 1) (local.get 0)) (memory.fill (i32.const 90) (i32.const 1) (local.get 0))
    (memory.fill (i32.const 80) (i32.const 1) (local.get 0)) (memory.fill (i32.const 90) (i32.const 1) (local.get 0))
    (i32.const 7))
  (func $caller (param i32) (result i32) (i32.add (call $other (local.get 0)) (i32.const 3))))
