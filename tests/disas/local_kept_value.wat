;; A value of a local that changes while it waits as an operand.
(module
  (func (param i32) (result i32)
    (i32.add (local.get 0) (local.tee 0 (i32.shl (local.get 0) (i32.const 1))))))
