;;! checks explicit
(module
  (memory 1)
  (func $length (param $at i32) (result i32) (local $i i32)
    (block $end
      (loop $on
        (br_if $end (i32.eqz (i32.load8_u (i32.add (local.get $at) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $on)))
    (local.get $i)))
