;; A function that calls keeps the base of memory 0 where calls keep it.
(module
  (func $f (import "env" "f") (param i32))
  (memory 1)
  (func (param $p i32)
    (call $f (i32.load (local.get $p)))
    (call $f (i32.load offset=4 (local.get $p)))
    (call $f (i32.load offset=8 (local.get $p)))))
