;; The least that a function is.
;;! show ends
(module
  (func)
  (func $constant (result i64) (i64.const -1))
  (func $same (param f32) (result f32) (local.get 0)))
