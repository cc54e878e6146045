;; Guard pages do what a comparison would.
(module
  (memory 1)
  (func $sum (param i32 i32) (result i32)
    (i32.add (i32.load (local.get 0)) (i32.load offset=0x10000 (local.get 1)))))
