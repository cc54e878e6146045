;; Vectors: lanes, arithmetic, memory.
;;! show oldest
(module
  (memory 1)
  (func $add (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))
  (func $splat (param i32) (result v128) (i32x4.splat (local.get 0)))
  (func $lane (param v128) (result f32) (f32x4.extract_lane 2 (local.get 0)))
  (func $load (param i32) (result v128) (v128.load (local.get 0)))
  (func $constant (result v128) (v128.const i32x4 1 2 3 4)))
