;; Explicit bounds of vectors: the check is of what is read, of as many bytes as the instruction takes.
;;! checks explicit
(module
  (memory 1)
  (func $load (param i32) (result v128) (v128.load (local.get 0)))
  (func $splat (param i32) (result v128) (v128.load16_splat (local.get 0)))
  (func $lane (param i32 v128) (result v128) (v128.load8_lane 3 (local.get 0) (local.get 1)))
  (func $store (param i32 v128) (v128.store (local.get 0) (local.get 1))))
