;; Bits of whole vectors, and a choice bit by bit.
(module
  (func (param v128 v128) (result v128) (v128.andnot (local.get 0) (v128.not (local.get 1))))
  (func $select (param v128 v128 v128) (result v128) (v128.bitselect (local.get 0) (local.get 1) (local.get 2))))
