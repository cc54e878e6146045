;; A call of an import.
(module
  (func $log (import "env" "log") (param i32))
  (func (param i32) (call $log (i32.add (local.get 0) (i32.const 1)))))
