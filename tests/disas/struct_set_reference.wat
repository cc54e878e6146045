;; A reference in a field.
(module
  (type $node (struct (field (mut (ref null $node)))))
  (func (param (ref $node) (ref null $node)) (struct.set $node 0 (local.get 0) (local.get 1)))
  (func $next (param (ref null $node)) (result (ref null $node)) (struct.get $node 0 (local.get 0))))
