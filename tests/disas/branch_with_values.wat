;; Two values come to the label at home.
(module
  (func (param $a i32) (param $b i64) (result i64)
    (block $out (result i32 i64)
      (br_if $out (local.get $a) (local.get $b) (local.get $a))
      (drop)
      (i64.const 5))
    (local.set $b)
    (i64.add (i64.extend_i32_u) (local.get $b))))
