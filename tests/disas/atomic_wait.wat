;; Waiting and waking are the runtime's; a fence is one instruction.
(module
  (memory 1 1 shared)
  (func (param i32 i32 i64) (result i32) (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func $wake (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
  (func $fence (atomic.fence)))
