;; Arrays: few elements here, more by the runtime.
(module
  (type $words (array (mut i32)))
  (func $fixed (param i32) (result (ref $words)) (array.new_fixed $words 3 (local.get 0) (i32.const 2) (i32.const 3)))
  (func $any (param i32) (result (ref $words)) (array.new_default $words (local.get 0))))
