(module (func $check (param i32) (if (i32.eqz (local.get 0)) (then (unreachable)))))
