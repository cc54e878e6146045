;; Constants as immediates of stores, and those that no immediate holds.
(module
  (memory 1)
  (func (param $p i32)
    (i32.store (local.get $p) (i32.const 7))
    (i32.store8 offset=4 (local.get $p) (i32.const 0x1ff))
    (i64.store offset=8 (local.get $p) (i64.const -1))
    (i64.store offset=16 (local.get $p) (i64.const 0x123456789))
    (f64.store offset=24 (local.get $p) (f64.const 0))
    (f32.store offset=32 (local.get $p) (f32.const 1.5))))
