;; Binary trees: many short-lived trees beside one that stays. What a collector is measured by.
(module
  (import "bench" "start" (func $start))
  (import "bench" "end" (func $end))
  (memory (export "memory") 1)
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))

  (func $make (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (local.get $depth)
      (then
        (struct.new $node
          (call $make (i32.sub (local.get $depth) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new_default $node))))

  ;; How many nodes a tree has.
  (func $count (param $tree (ref $node)) (result i32)
    (local $left (ref null $node))
    (local.set $left (struct.get $node $left (local.get $tree)))
    (if (result i32) (ref.is_null (local.get $left))
      (then (i32.const 1))
      (else
        (i32.add (i32.const 1)
          (i32.add
            (call $count (ref.as_non_null (local.get $left)))
            (call $count (ref.as_non_null (struct.get $node $right (local.get $tree)))))))))

  (func $expect (param $found i32) (param $expected i32)
    (if (i32.ne (local.get $found) (local.get $expected)) (then (unreachable))))

  (func $run (param $most i32)
    (local $depth i32) (local $left i32) (local $sum i32) (local $kept (ref $node))
    (call $expect
      (call $count (call $make (i32.add (local.get $most) (i32.const 1))))
      (i32.sub (i32.shl (i32.const 4) (local.get $most)) (i32.const 1)))
    (local.set $kept (call $make (local.get $most)))
    (local.set $depth (i32.const 4))
    (loop $depths
      (local.set $left (i32.shl (i32.const 16) (i32.sub (local.get $most) (local.get $depth))))
      (local.set $sum (i32.const 0))
      (loop $trees
        (local.set $sum (i32.add (local.get $sum) (call $count (call $make (local.get $depth)))))
        (br_if $trees (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $expect (local.get $sum)
        (i32.mul
          (i32.shl (i32.const 16) (i32.sub (local.get $most) (local.get $depth)))
          (i32.sub (i32.shl (i32.const 2) (local.get $depth)) (i32.const 1))))
      (br_if $depths
        (i32.le_u (local.tee $depth (i32.add (local.get $depth) (i32.const 2))) (local.get $most))))
    (call $expect (call $count (local.get $kept))
      (i32.sub (i32.shl (i32.const 2) (local.get $most)) (i32.const 1))))

  (func (export "_start")
    (call $start)
    (call $run (i32.const 16))
    (call $end)))
