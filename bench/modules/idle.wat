;; What an instance costs that does nothing: a memory of one page with some data, a table, a global, a function.
(module
  (memory (export "memory") 1)
  (table 4 funcref)
  (global $counter (mut i32) (i32.const 0))
  (data (i32.const 1024) "some data")
  (elem (i32.const 0) $count)
  (func $count (export "count") (result i32)
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (global.get $counter)))
