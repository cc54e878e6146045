;; The same with explicit bounds checks: the address stays as it was checked.
;;! checks explicit
(module
  (memory 1)
  (func (param $x i32) (param $p i32) (result i32)
    (i32.add (local.get $x) (i32.load offset=4 (local.get $p))))
  (func (param $x f32) (param $p i32) (result f32)
    (f32.div (local.get $x) (f32.load (local.get $p)))))
