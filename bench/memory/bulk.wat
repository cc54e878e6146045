;; 2000 times 1 MiB filled and copied by the instructions for that.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 48)

  (func (export "_start")
    (local $left i32)
    (call $start)
    (local.set $left (i32.const 2000))
    (loop $next
      (memory.fill (i32.const 0) (local.get $left) (i32.const 0x10_0000))
      (memory.copy (i32.const 0x20_0000) (i32.const 0) (i32.const 0x10_0000))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end)))
