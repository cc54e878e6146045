(module
  (type $pair (struct (field i32) (field i64)))
  (type $bytes (array (mut i8)))
  (func $pair (param i32 i64) (result (ref $pair)) (struct.new $pair (local.get 0) (local.get 1)))
  (func $bytes (result (ref $bytes)) (array.new_default $bytes (i32.const 12))))
