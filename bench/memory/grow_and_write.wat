;; The same 10,000 pages, each written to as soon as it is there.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 1 10001)

  (func (export "_start")
    (local $left i32) (local $page i32)
    (call $start)
    (local.set $left (i32.const 10_000))
    (loop $next
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (local.get $left))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end)))
