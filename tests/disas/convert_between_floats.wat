;; Promotion, demotion, bits.
;;! show oldest
(module
  (func $promote (param f32) (result f64) (f64.promote_f32 (local.get 0)))
  (func $demote (param f64) (result f32) (f32.demote_f64 (local.get 0)))
  (func $bits (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func $of_bits (param i64) (result f64) (f64.reinterpret_i64 (local.get 0))))
