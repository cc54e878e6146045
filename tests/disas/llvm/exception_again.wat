;; The legacy instructions: the exception is kept in the frame.
(module
  (import "host" "f" (func $f))
  (tag $e)
  (func $again (try (do (call $f)) (catch $e (rethrow 0)))))
