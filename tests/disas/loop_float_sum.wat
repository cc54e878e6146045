;; Floats around a loop stay in their registers.
(module
  (memory 1)
  (func (param $p i32) (param $n i32) (result f64) (local $a f64) (local $b f64)
    (loop $again
      (local.set $a (f64.add (local.get $a) (f64.load (local.get $p))))
      (local.set $b (f64.add (local.get $b) (f64.mul (local.get $a) (f64.const 0.5))))
      (local.set $p (i32.add (local.get $p) (i32.const 8)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f64.sub (local.get $a) (local.get $b))))
