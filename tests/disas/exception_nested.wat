;; A handler inside of a handler; what neither wants goes on.
(module
  (func $f (import "env" "f"))
  (tag $a)
  (tag $b)
  (func (result i32)
    (block $outer
      (try_table (catch $a $outer)
        (block $inner
          (try_table (catch $b $inner) (call $f))
          (return (i32.const 0)))
        (call $f)
        (return (i32.const 1))))
    (i32.const 2)))
