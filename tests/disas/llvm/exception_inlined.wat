;; Thrown in a body that is a part of the function that catches.
(module
  (tag $small (param i32))
  (func $check (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 10)) (then (throw $small (local.get 0))))
    (local.get 0))
  (func $guarded (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $small $caught) (call $check (local.get 0)))
      (return))
    (i32.const 0)
    (i32.add)))
