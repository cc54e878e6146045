;; Shuffles: any, one that the machine has an instruction for, and by a register.
(module
  (func (param v128 v128) (result v128)
    (i8x16.shuffle 0 16 1 17 9 25 10 26 4 20 5 21 6 22 31 0 (local.get 0) (local.get 1)))
  (func $interleave (param v128 v128) (result v128)
    (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get 0) (local.get 1)))
  (func $swizzle (param v128 v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 1))))
