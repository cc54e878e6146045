;; Many locals without a register are cleared at once.
(module
  (func (result i32) (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i32)
    (i32.add (local.get 20) (i32.wrap_i64 (i64.add (i64.add (local.get 0) (local.get 7)) (i64.add (local.get 14) (local.get 19)))))))
