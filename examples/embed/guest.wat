;; The guest of main.cc: CRC-32 over bytes that the host puts into memory, and a division that can trap.
(module $guest
  (import "host" "log" (func $log (param $text i32) (param $length i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "computing a checksum")

  ;; The polynomial is 0xEDB88320 (IEEE 802.3, bits reversed); one bit at a time, without a table.
  (func $crc32 (export "crc32") (param $at i32) (param $length i32) (result i32)
    (local $crc i32) (local $end i32) (local $bit i32)
    (call $log (i32.const 0) (i32.const 20))
    (local.set $crc (i32.const -1))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $bytes
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $crc (i32.xor (local.get $crc) (i32.load8_u (local.get $at))))
        (local.set $bit (i32.const 8))
        (loop $bits
          (local.set $crc
            (i32.xor
              (i32.shr_u (local.get $crc) (i32.const 1))
              (i32.and (i32.const 0xEDB88320)
                       (i32.sub (i32.const 0) (i32.and (local.get $crc) (i32.const 1))))))
          (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $bytes)))
    (i32.xor (local.get $crc) (i32.const -1)))

  ;; Quotient and remainder; traps when the divisor is zero.
  (func $divide (export "divide") (param $a i64) (param $b i64) (result i64 i64)
    (i64.div_s (local.get $a) (local.get $b))
    (i64.rem_s (local.get $a) (local.get $b))))
