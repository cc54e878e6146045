;; Branches that look at the type of a reference.
(module
  (type $a (sub (struct (field i32))))
  (type $b (sub $a (struct (field i32) (field i64))))
  (func $cast (param (ref null $a)) (result i32)
    (block $l (result (ref $b)) (drop (br_on_cast $l (ref null $a) (ref $b) (local.get 0))) (return (i32.const 0)))
    (drop)
    (i32.const 1)))
