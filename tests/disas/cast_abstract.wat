;; Casts to types that no module defines.
(module
  (func $i31 (param anyref) (result i32) (ref.test (ref i31) (local.get 0)))
  (func $struct (param anyref) (result (ref struct)) (ref.cast (ref struct) (local.get 0)))
  (func $eq (param anyref) (result i32) (ref.test (ref null eq) (local.get 0))))
