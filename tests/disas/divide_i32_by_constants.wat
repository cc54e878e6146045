;; Signed quotients and remainders by constants.
(module
  (func $three (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 3)))
  (func $negative (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -10)))
  (func $remainder (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const 100))))
