;; More locals than registers: the loop has those that it uses, and an exit puts back what is outside.
(module
  (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $i i32) (local $sum i32)
    (local.set 0 (i32.add (local.get 0) (local.get 1)))
    (local.set 0 (i32.add (local.get 0) (local.get 2)))
    (local.set 1 (i32.sub (local.get 1) (local.get 3)))
    (local.set 2 (i32.xor (local.get 2) (local.get 4)))
    (local.set 3 (i32.and (local.get 3) (local.get 5)))
    (local.set 4 (i32.or (local.get 4) (local.get 6)))
    (local.set 5 (i32.add (local.get 5) (local.get 7)))
    (local.set 6 (i32.add (local.get 6) (local.get 8)))
    (local.set 7 (i32.add (local.get 7) (local.get 9)))
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (local.get 8)))
      (local.set $sum (i32.xor (local.get $sum) (local.get 9)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get 0))))
    (i32.add (i32.add (local.get $sum) (local.get 1)) (i32.add (local.get 2) (local.get 3)))))
