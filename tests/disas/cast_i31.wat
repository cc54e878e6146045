;; Small integers as references.
(module
  (func (param i32) (result (ref i31)) (ref.i31 (local.get 0)))
  (func $signed (param (ref null i31)) (result i32) (i31.get_s (local.get 0)))
  (func $unsigned (param (ref i31)) (result i32) (i31.get_u (local.get 0))))
