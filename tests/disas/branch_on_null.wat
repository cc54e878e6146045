;; Branches that look whether a reference is null.
(module
  (func $null (param externref) (result i32)
    (block $l (drop (br_on_null $l (local.get 0))) (return (i32.const 1)))
    (i32.const 0))
  (func $not_null (param externref) (result externref)
    (block $l (result (ref extern)) (br_on_non_null $l (local.get 0)) (unreachable))))
