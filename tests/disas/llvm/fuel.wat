;;! charge fuel
(module
  (func $count (param i32) (result i32) (local $turns i32)
    (loop $on
      (local.set $turns (i32.add (local.get $turns) (i32.clz (local.get 0))))
      (br_if $on (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1)))))
    (local.get $turns)))
