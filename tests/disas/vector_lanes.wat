;; Single lanes, out and in.
(module
  (func (param v128) (result i32) (i16x8.extract_lane_s 3 (local.get 0)))
  (func $float (param v128) (result f64) (f64x2.extract_lane 1 (local.get 0)))
  (func $replace (param v128 i64) (result v128) (i64x2.replace_lane 1 (local.get 0) (local.get 1))))
