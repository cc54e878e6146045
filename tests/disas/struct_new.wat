;; Structures: a cell from the cursor, or the runtime where it is empty.
(module
  (type $point (struct (field (mut i32)) (field (mut f64))))
  (func (param i32 f64) (result (ref $point)) (struct.new $point (local.get 0) (local.get 1)))
  (func $default (result (ref $point)) (struct.new_default $point)))
