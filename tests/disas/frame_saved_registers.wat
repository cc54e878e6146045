;; Registers that survive calls are saved, and put back.
;;! show ends
(module
  (func $f (import "env" "f") (param i32) (result i32))
  (func (param $a i32) (param $b i32) (result i32)
    (local.set $a (i32.add (call $f (local.get $a)) (local.get $b)))
    (local.set $b (i32.add (call $f (local.get $b)) (local.get $a)))
    (i32.mul (local.get $a) (local.get $b))))
