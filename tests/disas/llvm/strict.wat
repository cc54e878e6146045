;;! strict memory
;; Every access, in order; a load that nobody wants as well.
(module
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  (func $store (param i32 i32)
    (i32.store (local.get 0) (i32.const 1))
    (global.set $g (i32.const 1))
    (i32.store (local.get 0) (i32.const 2))
    (global.set $g (i32.const 2))
    (drop (i32.load (local.get 1)))))
