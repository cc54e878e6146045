;; Data segments.
(module
  (memory 1)
  (data $d "abcdefgh")
  (func (param i32) (memory.init $d (local.get 0) (i32.const 2) (i32.const 4)) (data.drop $d)))
