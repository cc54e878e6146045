;;! cpu newer
;; One division of 64 bits, where older processors would be asked first whether one of 32 bits does.
(module
  (func $remainder (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1))))
