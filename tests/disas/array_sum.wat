;; A loop over an array.
(module
  (type $words (array (mut i64)))
  (func (param $a (ref $words)) (result i64) (local $i i32) (local $sum i64)
    (block $end
      (loop $again
        (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i64.add (local.get $sum) (array.get $words (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again)))
    (local.get $sum)))
