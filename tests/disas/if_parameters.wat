;; An `if` with parameters and results.
(module
  (func (param i32 i32 i32) (result i32)
    (local.get 0)
    (local.get 1)
    (if (param i32 i32) (result i32) (local.get 2) (then (i32.add)) (else (i32.sub)))))
