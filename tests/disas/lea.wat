;; Sums to another register are one instruction.
(module
  (func $two (param $a i32) (param $b i32) (result i32)
    (local $c i32)
    (loop $again
      (local.set $c (i32.add (local.get $a) (local.get $b)))
      (local.set $a (i32.add (local.get $c) (i32.const 12)))
      (br_if $again (local.get $a)))
    (local.get $c))
  (func $scaled (param $a i64) (param $b i64) (result i64)
    (i64.add (local.get $a) (i64.shl (local.get $b) (i64.const 3)))))
