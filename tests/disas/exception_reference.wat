;; A handler that gets the exception, and throws it again.
(module
  (func $f (import "env" "f"))
  (tag $e (param f64))
  (func (result f64)
    (block $h (result f64 exnref)
      (try_table (catch_ref $e $h) (call $f))
      (return (f64.const 0)))
    (throw_ref)))
