;; More results than one.
(module
  (func $pair (import "env" "pair") (result i32 i64 f32))
  (func (result f32)
    (local $a i32) (local $b i64) (local $c f32)
    (call $pair)
    (local.set $c) (local.set $b) (local.set $a)
    (f32.add (local.get $c) (f32.convert_i32_s (local.get $a)))))
