;; Returns from the middle.
(module
  (func (param $a i32) (result i32)
    (if (i32.eqz (local.get $a)) (then (return (i32.const -1))))
    (i32.clz (local.get $a))))
