;; Nobody catches here.
(module (tag $e (param i64)) (func $fail (param i64) (throw $e (local.get 0))))
