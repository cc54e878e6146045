;; Explicit bounds of an address that is known.
;;! checks explicit
(module
  (memory 1)
  (func (result i32) (i32.load (i32.const 1024)))
  (func $store (param f32) (f32.store offset=4 (i32.const 8) (local.get 0))))
