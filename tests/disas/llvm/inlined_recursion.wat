;; A function that calls itself twice: three of four calls are a part of one that is made.
(module
  (func $leaves (param $depth i32) (param $more i32) (result i32)
    (if (result i32) (i32.le_s (local.get $depth) (local.get $more))
      (then (i32.mul (local.get $depth) (local.get $more)))
      (else
        (i32.xor
          (call $leaves (i32.sub (local.get $depth) (i32.const 3)) (local.get $more))
          (call $leaves (i32.div_u (local.get $depth) (i32.const 10)) (i32.add (local.get $more) (i32.const 1))))))))
