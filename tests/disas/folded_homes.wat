;; Operands that are at home are read by the instruction that wants them.
(module
  (func $f (import "env" "f"))
  (func (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i64)
    (call $f)
    (i64.add (i64.xor (i64.add (local.get $a) (local.get $b)) (local.get $c)) (local.get $d))))
