;; A loop over a list.
(module
  (type $node (struct (field (ref null $node)) (field i32)))
  (func (param $n (ref null $node)) (result i32) (local $length i32)
    (block $end
      (loop $again
        (br_if $end (ref.is_null (local.get $n)))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (local.set $n (struct.get $node 0 (local.get $n)))
        (br $again)))
    (local.get $length)))
