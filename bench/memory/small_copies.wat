;; 20 million copies of 1 to 64 bytes by the instruction for that: the call that many engines make of it counts most.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 1)

  (func (export "_start")
    (local $left i32)
    (call $start)
    (local.set $left (i32.const 20_000_000))
    (loop $next
      (memory.copy (i32.const 1024) (i32.const 0)
                   (i32.add (i32.and (local.get $left) (i32.const 63)) (i32.const 1)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end)))
