;; Bytes up to a zero.
(module
  (memory 1)
  (func (param $s i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $s))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $again)))
    (i32.sub (local.get $end) (local.get $s))))
