;; A function of the runtime: operands and results in the frame.
(module (memory 1) (func $grow (param i32) (result i32) (i32.add (memory.grow (local.get 0)) (memory.size))))
