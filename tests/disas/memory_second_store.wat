;; A store to the second memory, whose base is in no register.
(module
  (memory $a 1)
  (memory $b 1)
  (func (param i32 i64) (i64.store $b offset=16 (local.get 0) (local.get 1)))
  (func $both (param i32) (i32.store $a (local.get 0) (i32.load $b (local.get 0)))))
