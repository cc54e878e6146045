(module
  (type $point (struct (field $x (mut f32)) (field $flag i8)))
  (func $move (param (ref null $point) f32) (result i32)
    (struct.set $point $x (local.get 0) (f32.add (struct.get $point $x (local.get 0)) (local.get 1)))
    (struct.get_s $point $flag (local.get 0))))
