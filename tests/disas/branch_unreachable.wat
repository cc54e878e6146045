;; Code behind a branch is not compiled.
(module
  (func (param $a i32) (result i32)
    (block $out
      (br $out)
      (local.set $a (i32.const 99)))
    (local.get $a)))
