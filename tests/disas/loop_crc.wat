;; A checksum with a table.
(module
  (memory 1)
  (func (param $p i32) (param $n i32) (result i32)
    (local $crc i32)
    (local.set $crc (i32.const -1))
    (loop $again
      (local.set $crc
        (i32.xor
          (i32.load offset=1024
            (i32.shl
              (i32.and (i32.xor (local.get $crc) (i32.load8_u (local.get $p))) (i32.const 255))
              (i32.const 2)))
          (i32.shr_u (local.get $crc) (i32.const 8))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.xor (local.get $crc) (i32.const -1))))
