;; It turns four times.
(module
  (func $hash (param $x i32) (result i32) (local $i i32)
    (loop $on
      (local.set $x (i32.mul (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 15))) (i32.const 0x45d9f3b)))
      (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
    (local.get $x)))
