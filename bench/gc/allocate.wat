;; The rate of allocation: 100 million small structures, of which a list of 1000 is alive at a time. The memory in use
;; has to stay flat.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 1)
  (type $cell (struct (field $value i64) (field $next (ref null $cell))))

  (func (export "_start")
    (local $list (ref null $cell)) (local $left i32) (local $length i32)
    (call $start)
    (local.set $left (i32.const 100_000_000))
    (loop $next
      (local.set $list (struct.new $cell (i64.const 1) (local.get $list)))
      (if (i32.eq (local.tee $length (i32.add (local.get $length) (i32.const 1))) (i32.const 1000))
        (then
          (local.set $list (ref.null $cell))
          (local.set $length (i32.const 0))))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end)))
