;; Casts to a type that others extend: where it is not the very one, the runtime is asked.
(module
  (type $a (sub (struct (field i32))))
  (type $b (sub $a (struct (field i32) (field i32))))
  (func (param (ref null $a)) (result (ref $b)) (ref.cast (ref $b) (local.get 0)))
  (func $test (param anyref) (result i32) (ref.test (ref $a) (local.get 0))))
