;; A branch that carries a value over others.
(module
  (func (param $a i32) (result i32)
    (block $out (result i32)
      (i32.const 7)
      (br_if $out (i32.add (local.get $a) (i32.const 1)) (local.get $a))
      (i32.add))))
