(module
  (memory $a 1)
  (memory $b 1)
  (func $move (param i32) (i64.store $b (local.get 0) (i64.load $a (local.get 0)))))
