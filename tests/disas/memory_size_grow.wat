;; Pages: read at once, grown by the runtime.
(module
  (memory 1)
  (func $size (result i32) (memory.size))
  (func $grow (param i32) (result i32) (memory.grow (local.get 0))))
