;; The guest of main.c: counts words in a text that it reads from the host, and a function that never ends.
(module $guest
  (import "host" "read" (func $read (param $to i32) (param $size i32) (result i32)))
  (memory (export "memory") 1)

  ;; Words are what is between spaces and line ends.
  (func (export "words") (result i32)
    (local $at i32) (local $end i32) (local $count i32) (local $in_word i32) (local $is_space i32)
    (local.set $end (call $read (i32.const 0) (i32.const 65536)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $is_space (i32.le_u (i32.load8_u (local.get $at)) (i32.const 32)))
        (if (i32.and (i32.eqz (local.get $is_space)) (i32.eqz (local.get $in_word)))
          (then (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (local.set $in_word (i32.eqz (local.get $is_space)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $count))

  (func (export "spin") (loop $forever (br $forever))))
