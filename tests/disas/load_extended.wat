;; Narrow loads, with sign and without, to both widths.
(module
  (memory 1)
  (func (param $p i32) (result i64)
    (i64.add
      (i64.add (i64.load8_s (local.get $p)) (i64.load16_u offset=2 (local.get $p)))
      (i64.add (i64.load32_s offset=4 (local.get $p)) (i64.extend_i32_u (i32.load8_s offset=8 (local.get $p)))))))
