;; Ones in each byte.
;;! show oldest
(module
  (func (param v128) (result v128) (i8x16.popcnt (local.get 0))))
