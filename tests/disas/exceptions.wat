;; A throw, and a handler around a call.
(module
  (func $f (import "env" "f"))
  (tag $e (param i32))
  (func $throw (param i32) (throw $e (local.get 0)))
  (func $catch (result i32)
    (block $caught (result i32)
      (try_table (catch $e $caught) (call $f))
      (i32.const 0))))
