(module
  (table $t 4 externref)
  (func $swap (param i32 i32) (local $kept externref)
    (local.set $kept (table.get $t (local.get 0)))
    (table.set $t (local.get 0) (table.get $t (local.get 1)))
    (table.set $t (local.get 1) (local.get $kept))))
