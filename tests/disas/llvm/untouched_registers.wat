;; What lives across the poll stays in registers that nobody has to save.
(module
  (memory 1)
  (func $length (param $text i32) (param $most i32) (result i32)
    (local $at i32)
    (block $end
      (loop $on
        (br_if $end (i32.eq (local.get $at) (local.get $most)))
        (br_if $end (i32.eqz (i32.load8_u (i32.add (local.get $text) (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $on)))
    (local.get $at)))
