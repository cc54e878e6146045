;; A list that is made while the collector may run.
(module
  (type $list (struct (field i32) (field (ref null $list))))
  (func $make (param $n i32) (result (ref null $list)) (local $list (ref null $list))
    (loop $on
      (local.set $list (struct.new $list (local.get $n) (local.get $list)))
      (br_if $on (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $list)))
