(module
  (memory 1)
  (func $dot (param i32 i32) (result v128)
    (i32x4.dot_i16x8_s (v128.load (local.get 0)) (v128.load offset=16 (local.get 1))))
  (func $shuffle (param v128 v128) (result v128)
    (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 0) (local.get 1)))
  (func $least (param v128 v128) (result v128) (f32x4.min (local.get 0) (local.get 1)))
  (func $swizzle (param v128 v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 1))))
