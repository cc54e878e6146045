;; Memory grows by one page, 10,000 times: what an allocator does that asks for little at a time. Nothing is written.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 1 10001)

  (func (export "_start")
    (local $left i32)
    (call $start)
    (local.set $left (i32.const 10_000))
    (loop $next
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end)))
