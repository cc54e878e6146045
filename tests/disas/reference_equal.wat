;; Whether two references are the same.
(module
  (func (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
  (func $branch (param eqref eqref) (result i32)
    (if (result i32) (ref.eq (local.get 0) (local.get 1)) (then (i32.const 1)) (else (i32.const 2)))))
