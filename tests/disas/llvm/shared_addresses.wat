;; The lowest address is made once, and the others are that and a constant, since none of them can wrap around when it
;; is in the memory. So LLVM sees that they are neighbours.
(module
  (memory 1)
  (func $neighbours (param $to i32) (param $from i32)
    (i32.store (i32.add (local.get $to) (i32.const 284)) (i32.load (i32.add (local.get $from) (i32.const 28))))
    (i32.store (i32.add (local.get $to) (i32.const 276)) (i32.load (i32.add (local.get $from) (i32.const 20))))
    (i32.store (i32.add (local.get $to) (i32.const 280)) (i32.load (i32.add (local.get $from) (i32.const 24))))
    (i32.store (i32.add (local.get $to) (i32.const 272)) (i32.load (i32.add (local.get $from) (i32.const 16)))))
  (func $behind (param $at i32) (result i32)
    (if (result i32) (i32.load (local.get $at))
      (then (i32.load (i32.add (local.get $at) (i32.const 4))))
      (else (i32.load8_u offset=3 (i32.add (local.get $at) (i32.const 8)))))))
