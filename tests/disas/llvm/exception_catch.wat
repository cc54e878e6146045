;; Behind the call, a look at whether it threw.
(module
  (import "host" "f" (func $f (result i32)))
  (tag $small (param i32))
  (func $guarded (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $small $caught) (call $f))
      (return))
    (i32.add (i32.const 1000))))
