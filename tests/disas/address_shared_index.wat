;; One address, many accesses with their offsets.
(module
  (memory 1)
  (func (param $p i32) (result i32)
    (i32.store offset=12 (local.get $p) (i32.add (i32.load (local.get $p)) (i32.load offset=4 (local.get $p))))
    (i32.load offset=8 (local.get $p))))
