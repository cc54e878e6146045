;; More locals than registers: those of the loop, without a call, have all there are.
(module
  (func (param i32 i32 i32 i32 i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32)
    (loop $again
      (local.set 6 (i32.add (local.get 6) (local.get 0)))
      (local.set 7 (i32.xor (local.get 7) (local.get 1)))
      (local.set 8 (i32.add (local.get 8) (local.get 2)))
      (local.set 9 (i32.xor (local.get 9) (local.get 3)))
      (local.set 10 (i32.add (local.get 10) (local.get 4)))
      (local.set 11 (i32.xor (local.get 11) (local.get 5)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.add (i32.add (local.get 6) (local.get 7)) (i32.add (i32.add (local.get 8) (local.get 9)) (i32.add (local.get 10) (local.get 11))))))
