;; Copies and fills of a few bytes: all are read before any is written, the last first.
(module
  (memory 1)
  (func $copy (param $to i32) (param $from i32)
    (memory.copy (local.get $to) (local.get $from) (i32.const 16)))
  (func $copy_odd (param $to i32) (param $from i32)
    (memory.copy (local.get $to) (local.get $from) (i32.const 23)))
  (func $clear (param $to i32)
    (memory.fill (local.get $to) (i32.const 0) (i32.const 40)))
  (func $fill (param $to i32)
    (memory.fill (local.get $to) (i32.const 32) (i32.const 3))))
