;; Addresses of 64 bits are compared, and so is that their sum with the offset fits.
(module
  (memory i64 1)
  (func $sum (param i64) (result i64)
    (i64.add (i64.load offset=8 (local.get 0)) (i64.load offset=0x100000000 (local.get 0)))))
