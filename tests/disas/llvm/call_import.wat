(module
  (import "host" "f" (func $f (param i64 f64) (result f64)))
  (func $caller (param i64) (result f64) (f64.neg (call $f (local.get 0) (f64.const 2.5)))))
