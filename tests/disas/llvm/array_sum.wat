;; The length is compared at each turn, and read once.
(module
  (type $words (array i64))
  (func $sum (param $a (ref $words)) (result i64) (local $i i32) (local $sum i64)
    (block $end
      (loop $on
        (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
        (local.set $sum (i64.add (local.get $sum) (array.get $words (local.get $a) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $on)))
    (local.get $sum)))
