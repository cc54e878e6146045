;; A handler for all: calls are followed by a look whether anything was thrown.
(module
  (func $f (import "env" "f"))
  (func (result i32)
    (block $h
      (try_table (catch_all $h) (call $f))
      (return (i32.const 0)))
    (i32.const 1)))
