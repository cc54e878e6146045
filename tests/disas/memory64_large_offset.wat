;; An offset that no displacement holds, and a sum that may wrap around.
(module
  (memory i64 1)
  (func (param i64) (result i32) (i32.load offset=0x123456789a (local.get 0)))
  (func $never (param i64) (result i32) (i32.load offset=0xfffffffffffffffd (local.get 0))))
