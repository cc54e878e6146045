;; Locals and parameters that nobody uses cost nothing.
(module
  (func (param $a i32) (param $b i64) (param $c f64) (result i32)
    (local $d i32) (local $e v128)
    (local.get $a)))
