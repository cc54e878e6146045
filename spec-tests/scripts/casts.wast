;; Casts to every kind of type, of every kind of reference. Types that lie deeper than a display reaches, or have no
;; subtypes, are tested in other ways than the rest. An outcome is a bit per object.
(module
  (type $s0 (sub (struct)))
  (type $s1 (sub $s0 (struct (field i32))))
  (type $s2 (sub $s1 (struct (field i32) (field i32))))
  (type $s3 (sub $s2 (struct (field i32) (field i32) (field i32))))
  (type $s4 (sub $s3 (struct (field i32) (field i32) (field i32))))
  (type $s5 (sub $s4 (struct (field i32) (field i32) (field i32))))
  (type $s6 (sub $s5 (struct (field i32) (field i32) (field i32))))
  (type $s7 (sub $s6 (struct (field i32) (field i32) (field i32))))
  (type $s8 (sub $s7 (struct (field i32) (field i32) (field i32))))
  (type $s9 (sub $s8 (struct (field i32) (field i32) (field i32))))
  (type $leaf (sub final $s1 (struct (field i32) (field i64))))
  (type $deepleaf (sub final $s8 (struct (field i32) (field i32) (field i32) (field i64))))
  (type $a0 (sub (array i32)))
  (type $a1 (sub final $a0 (array i32)))
  (type $other (struct (field f32)))
  (table $t 16 anyref)
  (func (export "fill") (param externref)
    (table.set $t (i32.const 0) (ref.null none))
    (table.set $t (i32.const 1) (ref.i31 (i32.const 0)))
    (table.set $t (i32.const 2) (ref.i31 (i32.const -1)))
    (table.set $t (i32.const 3) (any.convert_extern (local.get 0)))
    (table.set $t (i32.const 4) (struct.new_default $s0))
    (table.set $t (i32.const 5) (struct.new_default $s1))
    (table.set $t (i32.const 6) (struct.new_default $s5))
    (table.set $t (i32.const 7) (struct.new_default $s6))
    (table.set $t (i32.const 8) (struct.new_default $s7))
    (table.set $t (i32.const 9) (struct.new_default $s9))
    (table.set $t (i32.const 10) (struct.new_default $leaf))
    (table.set $t (i32.const 11) (struct.new_default $deepleaf))
    (table.set $t (i32.const 12) (array.new_fixed $a0 1 (i32.const 5)))
    (table.set $t (i32.const 13) (array.new_fixed $a1 1 (i32.const 5)))
    (table.set $t (i32.const 14) (struct.new_default $other)))
  (type $test (func (param anyref) (result i32)))
  (global $r (mut anyref) (ref.null any))
  (func (export "bits") (param $test i32) (result i32)
    (local $i i32) (local $bits i32)
    (loop $next
      (global.set $r (table.get $t (local.get $i)))
      (local.set $bits (i32.or (local.get $bits)
        (i32.shl (call_indirect $tests (type $test) (global.get $r) (local.get $test)) (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 15))))
    (local.get $bits))
  (func $test0 (type $test) (ref.test (ref any) (local.get 0)))
  (func $test1 (type $test) (if (result i32) (ref.test (ref any) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test2 (type $test) (block (result (ref any)) (br_on_cast 0 anyref (ref any) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test3 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref any) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast any") (param i32) (result i32) (ref.is_null (ref.cast (ref any) (table.get $t (local.get 0)))))
  (func $test4 (type $test) (ref.test (ref null any) (local.get 0)))
  (func $test5 (type $test) (if (result i32) (ref.test (ref null any) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test6 (type $test) (block (result (ref null any)) (br_on_cast 0 anyref (ref null any) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test7 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null any) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null any") (param i32) (result i32) (ref.is_null (ref.cast (ref null any) (table.get $t (local.get 0)))))
  (func $test8 (type $test) (ref.test (ref eq) (local.get 0)))
  (func $test9 (type $test) (if (result i32) (ref.test (ref eq) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test10 (type $test) (block (result (ref eq)) (br_on_cast 0 anyref (ref eq) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test11 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref eq) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast eq") (param i32) (result i32) (ref.is_null (ref.cast (ref eq) (table.get $t (local.get 0)))))
  (func $test12 (type $test) (ref.test (ref null eq) (local.get 0)))
  (func $test13 (type $test) (if (result i32) (ref.test (ref null eq) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test14 (type $test) (block (result (ref null eq)) (br_on_cast 0 anyref (ref null eq) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test15 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null eq) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null eq") (param i32) (result i32) (ref.is_null (ref.cast (ref null eq) (table.get $t (local.get 0)))))
  (func $test16 (type $test) (ref.test (ref i31) (local.get 0)))
  (func $test17 (type $test) (if (result i32) (ref.test (ref i31) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test18 (type $test) (block (result (ref i31)) (br_on_cast 0 anyref (ref i31) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test19 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref i31) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast i31") (param i32) (result i32) (ref.is_null (ref.cast (ref i31) (table.get $t (local.get 0)))))
  (func $test20 (type $test) (ref.test (ref null i31) (local.get 0)))
  (func $test21 (type $test) (if (result i32) (ref.test (ref null i31) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test22 (type $test) (block (result (ref null i31)) (br_on_cast 0 anyref (ref null i31) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test23 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null i31) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null i31") (param i32) (result i32) (ref.is_null (ref.cast (ref null i31) (table.get $t (local.get 0)))))
  (func $test24 (type $test) (ref.test (ref struct) (local.get 0)))
  (func $test25 (type $test) (if (result i32) (ref.test (ref struct) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test26 (type $test) (block (result (ref struct)) (br_on_cast 0 anyref (ref struct) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test27 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref struct) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast struct") (param i32) (result i32) (ref.is_null (ref.cast (ref struct) (table.get $t (local.get 0)))))
  (func $test28 (type $test) (ref.test (ref null struct) (local.get 0)))
  (func $test29 (type $test) (if (result i32) (ref.test (ref null struct) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test30 (type $test) (block (result (ref null struct)) (br_on_cast 0 anyref (ref null struct) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test31 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null struct) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null struct") (param i32) (result i32) (ref.is_null (ref.cast (ref null struct) (table.get $t (local.get 0)))))
  (func $test32 (type $test) (ref.test (ref array) (local.get 0)))
  (func $test33 (type $test) (if (result i32) (ref.test (ref array) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test34 (type $test) (block (result (ref array)) (br_on_cast 0 anyref (ref array) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test35 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref array) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast array") (param i32) (result i32) (ref.is_null (ref.cast (ref array) (table.get $t (local.get 0)))))
  (func $test36 (type $test) (ref.test (ref null array) (local.get 0)))
  (func $test37 (type $test) (if (result i32) (ref.test (ref null array) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test38 (type $test) (block (result (ref null array)) (br_on_cast 0 anyref (ref null array) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test39 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null array) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null array") (param i32) (result i32) (ref.is_null (ref.cast (ref null array) (table.get $t (local.get 0)))))
  (func $test40 (type $test) (ref.test (ref none) (local.get 0)))
  (func $test41 (type $test) (if (result i32) (ref.test (ref none) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test42 (type $test) (block (result (ref none)) (br_on_cast 0 anyref (ref none) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test43 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref none) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast none") (param i32) (result i32) (ref.is_null (ref.cast (ref none) (table.get $t (local.get 0)))))
  (func $test44 (type $test) (ref.test (ref null none) (local.get 0)))
  (func $test45 (type $test) (if (result i32) (ref.test (ref null none) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test46 (type $test) (block (result (ref null none)) (br_on_cast 0 anyref (ref null none) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test47 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null none) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null none") (param i32) (result i32) (ref.is_null (ref.cast (ref null none) (table.get $t (local.get 0)))))
  (func $test48 (type $test) (ref.test (ref $s0) (local.get 0)))
  (func $test49 (type $test) (if (result i32) (ref.test (ref $s0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test50 (type $test) (block (result (ref $s0)) (br_on_cast 0 anyref (ref $s0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test51 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s0") (param i32) (result i32) (ref.is_null (ref.cast (ref $s0) (table.get $t (local.get 0)))))
  (func $test52 (type $test) (ref.test (ref null $s0) (local.get 0)))
  (func $test53 (type $test) (if (result i32) (ref.test (ref null $s0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test54 (type $test) (block (result (ref null $s0)) (br_on_cast 0 anyref (ref null $s0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test55 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s0") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s0) (table.get $t (local.get 0)))))
  (func $test56 (type $test) (ref.test (ref $s1) (local.get 0)))
  (func $test57 (type $test) (if (result i32) (ref.test (ref $s1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test58 (type $test) (block (result (ref $s1)) (br_on_cast 0 anyref (ref $s1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test59 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s1") (param i32) (result i32) (ref.is_null (ref.cast (ref $s1) (table.get $t (local.get 0)))))
  (func $test60 (type $test) (ref.test (ref null $s1) (local.get 0)))
  (func $test61 (type $test) (if (result i32) (ref.test (ref null $s1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test62 (type $test) (block (result (ref null $s1)) (br_on_cast 0 anyref (ref null $s1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test63 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s1") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s1) (table.get $t (local.get 0)))))
  (func $test64 (type $test) (ref.test (ref $s5) (local.get 0)))
  (func $test65 (type $test) (if (result i32) (ref.test (ref $s5) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test66 (type $test) (block (result (ref $s5)) (br_on_cast 0 anyref (ref $s5) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test67 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s5) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s5") (param i32) (result i32) (ref.is_null (ref.cast (ref $s5) (table.get $t (local.get 0)))))
  (func $test68 (type $test) (ref.test (ref null $s5) (local.get 0)))
  (func $test69 (type $test) (if (result i32) (ref.test (ref null $s5) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test70 (type $test) (block (result (ref null $s5)) (br_on_cast 0 anyref (ref null $s5) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test71 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s5) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s5") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s5) (table.get $t (local.get 0)))))
  (func $test72 (type $test) (ref.test (ref $s6) (local.get 0)))
  (func $test73 (type $test) (if (result i32) (ref.test (ref $s6) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test74 (type $test) (block (result (ref $s6)) (br_on_cast 0 anyref (ref $s6) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test75 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s6) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s6") (param i32) (result i32) (ref.is_null (ref.cast (ref $s6) (table.get $t (local.get 0)))))
  (func $test76 (type $test) (ref.test (ref null $s6) (local.get 0)))
  (func $test77 (type $test) (if (result i32) (ref.test (ref null $s6) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test78 (type $test) (block (result (ref null $s6)) (br_on_cast 0 anyref (ref null $s6) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test79 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s6) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s6") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s6) (table.get $t (local.get 0)))))
  (func $test80 (type $test) (ref.test (ref $s7) (local.get 0)))
  (func $test81 (type $test) (if (result i32) (ref.test (ref $s7) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test82 (type $test) (block (result (ref $s7)) (br_on_cast 0 anyref (ref $s7) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test83 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s7) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s7") (param i32) (result i32) (ref.is_null (ref.cast (ref $s7) (table.get $t (local.get 0)))))
  (func $test84 (type $test) (ref.test (ref null $s7) (local.get 0)))
  (func $test85 (type $test) (if (result i32) (ref.test (ref null $s7) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test86 (type $test) (block (result (ref null $s7)) (br_on_cast 0 anyref (ref null $s7) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test87 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s7) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s7") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s7) (table.get $t (local.get 0)))))
  (func $test88 (type $test) (ref.test (ref $s9) (local.get 0)))
  (func $test89 (type $test) (if (result i32) (ref.test (ref $s9) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test90 (type $test) (block (result (ref $s9)) (br_on_cast 0 anyref (ref $s9) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test91 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $s9) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast s9") (param i32) (result i32) (ref.is_null (ref.cast (ref $s9) (table.get $t (local.get 0)))))
  (func $test92 (type $test) (ref.test (ref null $s9) (local.get 0)))
  (func $test93 (type $test) (if (result i32) (ref.test (ref null $s9) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test94 (type $test) (block (result (ref null $s9)) (br_on_cast 0 anyref (ref null $s9) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test95 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $s9) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null s9") (param i32) (result i32) (ref.is_null (ref.cast (ref null $s9) (table.get $t (local.get 0)))))
  (func $test96 (type $test) (ref.test (ref $leaf) (local.get 0)))
  (func $test97 (type $test) (if (result i32) (ref.test (ref $leaf) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test98 (type $test) (block (result (ref $leaf)) (br_on_cast 0 anyref (ref $leaf) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test99 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $leaf) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast leaf") (param i32) (result i32) (ref.is_null (ref.cast (ref $leaf) (table.get $t (local.get 0)))))
  (func $test100 (type $test) (ref.test (ref null $leaf) (local.get 0)))
  (func $test101 (type $test) (if (result i32) (ref.test (ref null $leaf) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test102 (type $test) (block (result (ref null $leaf)) (br_on_cast 0 anyref (ref null $leaf) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test103 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $leaf) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null leaf") (param i32) (result i32) (ref.is_null (ref.cast (ref null $leaf) (table.get $t (local.get 0)))))
  (func $test104 (type $test) (ref.test (ref $deepleaf) (local.get 0)))
  (func $test105 (type $test) (if (result i32) (ref.test (ref $deepleaf) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test106 (type $test) (block (result (ref $deepleaf)) (br_on_cast 0 anyref (ref $deepleaf) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test107 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $deepleaf) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast deepleaf") (param i32) (result i32) (ref.is_null (ref.cast (ref $deepleaf) (table.get $t (local.get 0)))))
  (func $test108 (type $test) (ref.test (ref null $deepleaf) (local.get 0)))
  (func $test109 (type $test) (if (result i32) (ref.test (ref null $deepleaf) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test110 (type $test) (block (result (ref null $deepleaf)) (br_on_cast 0 anyref (ref null $deepleaf) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test111 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $deepleaf) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null deepleaf") (param i32) (result i32) (ref.is_null (ref.cast (ref null $deepleaf) (table.get $t (local.get 0)))))
  (func $test112 (type $test) (ref.test (ref $a0) (local.get 0)))
  (func $test113 (type $test) (if (result i32) (ref.test (ref $a0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test114 (type $test) (block (result (ref $a0)) (br_on_cast 0 anyref (ref $a0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test115 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $a0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast a0") (param i32) (result i32) (ref.is_null (ref.cast (ref $a0) (table.get $t (local.get 0)))))
  (func $test116 (type $test) (ref.test (ref null $a0) (local.get 0)))
  (func $test117 (type $test) (if (result i32) (ref.test (ref null $a0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test118 (type $test) (block (result (ref null $a0)) (br_on_cast 0 anyref (ref null $a0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test119 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $a0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null a0") (param i32) (result i32) (ref.is_null (ref.cast (ref null $a0) (table.get $t (local.get 0)))))
  (func $test120 (type $test) (ref.test (ref $a1) (local.get 0)))
  (func $test121 (type $test) (if (result i32) (ref.test (ref $a1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test122 (type $test) (block (result (ref $a1)) (br_on_cast 0 anyref (ref $a1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test123 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $a1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast a1") (param i32) (result i32) (ref.is_null (ref.cast (ref $a1) (table.get $t (local.get 0)))))
  (func $test124 (type $test) (ref.test (ref null $a1) (local.get 0)))
  (func $test125 (type $test) (if (result i32) (ref.test (ref null $a1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test126 (type $test) (block (result (ref null $a1)) (br_on_cast 0 anyref (ref null $a1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test127 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $a1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null a1") (param i32) (result i32) (ref.is_null (ref.cast (ref null $a1) (table.get $t (local.get 0)))))
  (func $test128 (type $test) (ref.test (ref $other) (local.get 0)))
  (func $test129 (type $test) (if (result i32) (ref.test (ref $other) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test130 (type $test) (block (result (ref $other)) (br_on_cast 0 anyref (ref $other) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test131 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref $other) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast other") (param i32) (result i32) (ref.is_null (ref.cast (ref $other) (table.get $t (local.get 0)))))
  (func $test132 (type $test) (ref.test (ref null $other) (local.get 0)))
  (func $test133 (type $test) (if (result i32) (ref.test (ref null $other) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test134 (type $test) (block (result (ref null $other)) (br_on_cast 0 anyref (ref null $other) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test135 (type $test) (block (result anyref) (br_on_cast_fail 0 anyref (ref null $other) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "cast null other") (param i32) (result i32) (ref.is_null (ref.cast (ref null $other) (table.get $t (local.get 0)))))
  ;; From types of which only objects, or nothing that is null, can be.
  (func (export "narrow") (param i32) (result i32)
    (block $is (result (ref $s5))
      (br_on_cast $is (ref null $s0) (ref $s5) (ref.cast (ref null $s0) (table.get $t (local.get 0))))
      (drop) (return (i32.const 0)))
    (drop) (i32.const 1))
  (func (export "narrower") (param i32) (result i32)
    (block $not (result (ref struct))
      (br_on_cast_fail $not (ref struct) (ref $leaf) (ref.cast (ref struct) (table.get $t (local.get 0))))
      (drop) (return (i32.const 1)))
    (drop) (i32.const 0))
  ;; The label takes more than the reference, and registers hold more than the operands.
  (func (export "carried") (param $x i32) (param $y f64) (param $at i32) (result i32 f64 i32)
    (local $r anyref)
    (local.set $r (table.get $t (local.get $at)))
    (block $is (result i32 f64 (ref $s7))
      (i32.add (local.get $x) (i32.const 1))
      (f64.add (local.get $y) (f64.const 1))
      (br_on_cast $is anyref (ref $s7) (local.get $r))
      (drop)
      (return (i32.const 0)))
    (drop)
    (i32.const 1))
  (func (export "kept") (param $x i32) (param $y f64) (param $at i32) (result f64)
    (f64.add
      (f64.mul (local.get $y) (f64.const 2))
      (f64.convert_i32_s (i32.add (i32.mul (local.get $x) (i32.const 3))
        (i32.add (ref.test (ref $s7) (table.get $t (local.get $at))) (ref.test (ref null $s8) (table.get $t (local.get $at))))))))
  (table $tests funcref (elem $test0 $test1 $test2 $test3 $test4 $test5 $test6 $test7 $test8 $test9 $test10 $test11
    $test12 $test13 $test14 $test15 $test16 $test17 $test18 $test19 $test20 $test21 $test22 $test23 $test24 $test25
    $test26 $test27 $test28 $test29 $test30 $test31 $test32 $test33 $test34 $test35 $test36 $test37 $test38 $test39
    $test40 $test41 $test42 $test43 $test44 $test45 $test46 $test47 $test48 $test49 $test50 $test51 $test52 $test53
    $test54 $test55 $test56 $test57 $test58 $test59 $test60 $test61 $test62 $test63 $test64 $test65 $test66 $test67
    $test68 $test69 $test70 $test71 $test72 $test73 $test74 $test75 $test76 $test77 $test78 $test79 $test80 $test81
    $test82 $test83 $test84 $test85 $test86 $test87 $test88 $test89 $test90 $test91 $test92 $test93 $test94 $test95
    $test96 $test97 $test98 $test99 $test100 $test101 $test102 $test103 $test104 $test105 $test106 $test107 $test108
    $test109 $test110 $test111 $test112 $test113 $test114 $test115 $test116 $test117 $test118 $test119 $test120
    $test121 $test122 $test123 $test124 $test125 $test126 $test127 $test128 $test129 $test130 $test131 $test132
    $test133 $test134 $test135)))
(assert_return (invoke "fill" (ref.extern 3)))
(assert_return (invoke "bits" (i32.const 0)) (i32.const 0x7ffe))  ;; test any
(assert_return (invoke "bits" (i32.const 1)) (i32.const 0x7ffe))  ;; if any
(assert_return (invoke "bits" (i32.const 2)) (i32.const 0x7ffe))  ;; br any
(assert_return (invoke "bits" (i32.const 3)) (i32.const 0x7ffe))  ;; br fail any
(assert_return (invoke "cast any" (i32.const 1)) (i32.const 0))
(assert_trap (invoke "cast any" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 4)) (i32.const 0x7fff))  ;; test null any
(assert_return (invoke "bits" (i32.const 5)) (i32.const 0x7fff))  ;; if null any
(assert_return (invoke "bits" (i32.const 6)) (i32.const 0x7fff))  ;; br null any
(assert_return (invoke "bits" (i32.const 7)) (i32.const 0x7fff))  ;; br fail null any
(assert_return (invoke "cast null any" (i32.const 0)) (i32.const 1))
(assert_return (invoke "bits" (i32.const 8)) (i32.const 0x7ff6))  ;; test eq
(assert_return (invoke "bits" (i32.const 9)) (i32.const 0x7ff6))  ;; if eq
(assert_return (invoke "bits" (i32.const 10)) (i32.const 0x7ff6))  ;; br eq
(assert_return (invoke "bits" (i32.const 11)) (i32.const 0x7ff6))  ;; br fail eq
(assert_return (invoke "cast eq" (i32.const 1)) (i32.const 0))
(assert_trap (invoke "cast eq" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 12)) (i32.const 0x7ff7))  ;; test null eq
(assert_return (invoke "bits" (i32.const 13)) (i32.const 0x7ff7))  ;; if null eq
(assert_return (invoke "bits" (i32.const 14)) (i32.const 0x7ff7))  ;; br null eq
(assert_return (invoke "bits" (i32.const 15)) (i32.const 0x7ff7))  ;; br fail null eq
(assert_return (invoke "cast null eq" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null eq" (i32.const 3)) "cast failure")
(assert_return (invoke "bits" (i32.const 16)) (i32.const 0x6))  ;; test i31
(assert_return (invoke "bits" (i32.const 17)) (i32.const 0x6))  ;; if i31
(assert_return (invoke "bits" (i32.const 18)) (i32.const 0x6))  ;; br i31
(assert_return (invoke "bits" (i32.const 19)) (i32.const 0x6))  ;; br fail i31
(assert_return (invoke "cast i31" (i32.const 1)) (i32.const 0))
(assert_trap (invoke "cast i31" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 20)) (i32.const 0x7))  ;; test null i31
(assert_return (invoke "bits" (i32.const 21)) (i32.const 0x7))  ;; if null i31
(assert_return (invoke "bits" (i32.const 22)) (i32.const 0x7))  ;; br null i31
(assert_return (invoke "bits" (i32.const 23)) (i32.const 0x7))  ;; br fail null i31
(assert_return (invoke "cast null i31" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null i31" (i32.const 3)) "cast failure")
(assert_return (invoke "bits" (i32.const 24)) (i32.const 0x4ff0))  ;; test struct
(assert_return (invoke "bits" (i32.const 25)) (i32.const 0x4ff0))  ;; if struct
(assert_return (invoke "bits" (i32.const 26)) (i32.const 0x4ff0))  ;; br struct
(assert_return (invoke "bits" (i32.const 27)) (i32.const 0x4ff0))  ;; br fail struct
(assert_return (invoke "cast struct" (i32.const 4)) (i32.const 0))
(assert_trap (invoke "cast struct" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 28)) (i32.const 0x4ff1))  ;; test null struct
(assert_return (invoke "bits" (i32.const 29)) (i32.const 0x4ff1))  ;; if null struct
(assert_return (invoke "bits" (i32.const 30)) (i32.const 0x4ff1))  ;; br null struct
(assert_return (invoke "bits" (i32.const 31)) (i32.const 0x4ff1))  ;; br fail null struct
(assert_return (invoke "cast null struct" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null struct" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 32)) (i32.const 0x3000))  ;; test array
(assert_return (invoke "bits" (i32.const 33)) (i32.const 0x3000))  ;; if array
(assert_return (invoke "bits" (i32.const 34)) (i32.const 0x3000))  ;; br array
(assert_return (invoke "bits" (i32.const 35)) (i32.const 0x3000))  ;; br fail array
(assert_return (invoke "cast array" (i32.const 12)) (i32.const 0))
(assert_trap (invoke "cast array" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 36)) (i32.const 0x3001))  ;; test null array
(assert_return (invoke "bits" (i32.const 37)) (i32.const 0x3001))  ;; if null array
(assert_return (invoke "bits" (i32.const 38)) (i32.const 0x3001))  ;; br null array
(assert_return (invoke "bits" (i32.const 39)) (i32.const 0x3001))  ;; br fail null array
(assert_return (invoke "cast null array" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null array" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 40)) (i32.const 0x0))  ;; test none
(assert_return (invoke "bits" (i32.const 41)) (i32.const 0x0))  ;; if none
(assert_return (invoke "bits" (i32.const 42)) (i32.const 0x0))  ;; br none
(assert_return (invoke "bits" (i32.const 43)) (i32.const 0x0))  ;; br fail none
(assert_trap (invoke "cast none" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 44)) (i32.const 0x1))  ;; test null none
(assert_return (invoke "bits" (i32.const 45)) (i32.const 0x1))  ;; if null none
(assert_return (invoke "bits" (i32.const 46)) (i32.const 0x1))  ;; br null none
(assert_return (invoke "bits" (i32.const 47)) (i32.const 0x1))  ;; br fail null none
(assert_return (invoke "cast null none" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null none" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 48)) (i32.const 0xff0))  ;; test s0
(assert_return (invoke "bits" (i32.const 49)) (i32.const 0xff0))  ;; if s0
(assert_return (invoke "bits" (i32.const 50)) (i32.const 0xff0))  ;; br s0
(assert_return (invoke "bits" (i32.const 51)) (i32.const 0xff0))  ;; br fail s0
(assert_return (invoke "cast s0" (i32.const 4)) (i32.const 0))
(assert_trap (invoke "cast s0" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 52)) (i32.const 0xff1))  ;; test null s0
(assert_return (invoke "bits" (i32.const 53)) (i32.const 0xff1))  ;; if null s0
(assert_return (invoke "bits" (i32.const 54)) (i32.const 0xff1))  ;; br null s0
(assert_return (invoke "bits" (i32.const 55)) (i32.const 0xff1))  ;; br fail null s0
(assert_return (invoke "cast null s0" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s0" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 56)) (i32.const 0xfe0))  ;; test s1
(assert_return (invoke "bits" (i32.const 57)) (i32.const 0xfe0))  ;; if s1
(assert_return (invoke "bits" (i32.const 58)) (i32.const 0xfe0))  ;; br s1
(assert_return (invoke "bits" (i32.const 59)) (i32.const 0xfe0))  ;; br fail s1
(assert_return (invoke "cast s1" (i32.const 5)) (i32.const 0))
(assert_trap (invoke "cast s1" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 60)) (i32.const 0xfe1))  ;; test null s1
(assert_return (invoke "bits" (i32.const 61)) (i32.const 0xfe1))  ;; if null s1
(assert_return (invoke "bits" (i32.const 62)) (i32.const 0xfe1))  ;; br null s1
(assert_return (invoke "bits" (i32.const 63)) (i32.const 0xfe1))  ;; br fail null s1
(assert_return (invoke "cast null s1" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s1" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 64)) (i32.const 0xbc0))  ;; test s5
(assert_return (invoke "bits" (i32.const 65)) (i32.const 0xbc0))  ;; if s5
(assert_return (invoke "bits" (i32.const 66)) (i32.const 0xbc0))  ;; br s5
(assert_return (invoke "bits" (i32.const 67)) (i32.const 0xbc0))  ;; br fail s5
(assert_return (invoke "cast s5" (i32.const 6)) (i32.const 0))
(assert_trap (invoke "cast s5" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 68)) (i32.const 0xbc1))  ;; test null s5
(assert_return (invoke "bits" (i32.const 69)) (i32.const 0xbc1))  ;; if null s5
(assert_return (invoke "bits" (i32.const 70)) (i32.const 0xbc1))  ;; br null s5
(assert_return (invoke "bits" (i32.const 71)) (i32.const 0xbc1))  ;; br fail null s5
(assert_return (invoke "cast null s5" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s5" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 72)) (i32.const 0xb80))  ;; test s6
(assert_return (invoke "bits" (i32.const 73)) (i32.const 0xb80))  ;; if s6
(assert_return (invoke "bits" (i32.const 74)) (i32.const 0xb80))  ;; br s6
(assert_return (invoke "bits" (i32.const 75)) (i32.const 0xb80))  ;; br fail s6
(assert_return (invoke "cast s6" (i32.const 7)) (i32.const 0))
(assert_trap (invoke "cast s6" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 76)) (i32.const 0xb81))  ;; test null s6
(assert_return (invoke "bits" (i32.const 77)) (i32.const 0xb81))  ;; if null s6
(assert_return (invoke "bits" (i32.const 78)) (i32.const 0xb81))  ;; br null s6
(assert_return (invoke "bits" (i32.const 79)) (i32.const 0xb81))  ;; br fail null s6
(assert_return (invoke "cast null s6" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s6" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 80)) (i32.const 0xb00))  ;; test s7
(assert_return (invoke "bits" (i32.const 81)) (i32.const 0xb00))  ;; if s7
(assert_return (invoke "bits" (i32.const 82)) (i32.const 0xb00))  ;; br s7
(assert_return (invoke "bits" (i32.const 83)) (i32.const 0xb00))  ;; br fail s7
(assert_return (invoke "cast s7" (i32.const 8)) (i32.const 0))
(assert_trap (invoke "cast s7" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 84)) (i32.const 0xb01))  ;; test null s7
(assert_return (invoke "bits" (i32.const 85)) (i32.const 0xb01))  ;; if null s7
(assert_return (invoke "bits" (i32.const 86)) (i32.const 0xb01))  ;; br null s7
(assert_return (invoke "bits" (i32.const 87)) (i32.const 0xb01))  ;; br fail null s7
(assert_return (invoke "cast null s7" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s7" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 88)) (i32.const 0x200))  ;; test s9
(assert_return (invoke "bits" (i32.const 89)) (i32.const 0x200))  ;; if s9
(assert_return (invoke "bits" (i32.const 90)) (i32.const 0x200))  ;; br s9
(assert_return (invoke "bits" (i32.const 91)) (i32.const 0x200))  ;; br fail s9
(assert_return (invoke "cast s9" (i32.const 9)) (i32.const 0))
(assert_trap (invoke "cast s9" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 92)) (i32.const 0x201))  ;; test null s9
(assert_return (invoke "bits" (i32.const 93)) (i32.const 0x201))  ;; if null s9
(assert_return (invoke "bits" (i32.const 94)) (i32.const 0x201))  ;; br null s9
(assert_return (invoke "bits" (i32.const 95)) (i32.const 0x201))  ;; br fail null s9
(assert_return (invoke "cast null s9" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null s9" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 96)) (i32.const 0x400))  ;; test leaf
(assert_return (invoke "bits" (i32.const 97)) (i32.const 0x400))  ;; if leaf
(assert_return (invoke "bits" (i32.const 98)) (i32.const 0x400))  ;; br leaf
(assert_return (invoke "bits" (i32.const 99)) (i32.const 0x400))  ;; br fail leaf
(assert_return (invoke "cast leaf" (i32.const 10)) (i32.const 0))
(assert_trap (invoke "cast leaf" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 100)) (i32.const 0x401))  ;; test null leaf
(assert_return (invoke "bits" (i32.const 101)) (i32.const 0x401))  ;; if null leaf
(assert_return (invoke "bits" (i32.const 102)) (i32.const 0x401))  ;; br null leaf
(assert_return (invoke "bits" (i32.const 103)) (i32.const 0x401))  ;; br fail null leaf
(assert_return (invoke "cast null leaf" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null leaf" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 104)) (i32.const 0x800))  ;; test deepleaf
(assert_return (invoke "bits" (i32.const 105)) (i32.const 0x800))  ;; if deepleaf
(assert_return (invoke "bits" (i32.const 106)) (i32.const 0x800))  ;; br deepleaf
(assert_return (invoke "bits" (i32.const 107)) (i32.const 0x800))  ;; br fail deepleaf
(assert_return (invoke "cast deepleaf" (i32.const 11)) (i32.const 0))
(assert_trap (invoke "cast deepleaf" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 108)) (i32.const 0x801))  ;; test null deepleaf
(assert_return (invoke "bits" (i32.const 109)) (i32.const 0x801))  ;; if null deepleaf
(assert_return (invoke "bits" (i32.const 110)) (i32.const 0x801))  ;; br null deepleaf
(assert_return (invoke "bits" (i32.const 111)) (i32.const 0x801))  ;; br fail null deepleaf
(assert_return (invoke "cast null deepleaf" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null deepleaf" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 112)) (i32.const 0x3000))  ;; test a0
(assert_return (invoke "bits" (i32.const 113)) (i32.const 0x3000))  ;; if a0
(assert_return (invoke "bits" (i32.const 114)) (i32.const 0x3000))  ;; br a0
(assert_return (invoke "bits" (i32.const 115)) (i32.const 0x3000))  ;; br fail a0
(assert_return (invoke "cast a0" (i32.const 12)) (i32.const 0))
(assert_trap (invoke "cast a0" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 116)) (i32.const 0x3001))  ;; test null a0
(assert_return (invoke "bits" (i32.const 117)) (i32.const 0x3001))  ;; if null a0
(assert_return (invoke "bits" (i32.const 118)) (i32.const 0x3001))  ;; br null a0
(assert_return (invoke "bits" (i32.const 119)) (i32.const 0x3001))  ;; br fail null a0
(assert_return (invoke "cast null a0" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null a0" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 120)) (i32.const 0x2000))  ;; test a1
(assert_return (invoke "bits" (i32.const 121)) (i32.const 0x2000))  ;; if a1
(assert_return (invoke "bits" (i32.const 122)) (i32.const 0x2000))  ;; br a1
(assert_return (invoke "bits" (i32.const 123)) (i32.const 0x2000))  ;; br fail a1
(assert_return (invoke "cast a1" (i32.const 13)) (i32.const 0))
(assert_trap (invoke "cast a1" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 124)) (i32.const 0x2001))  ;; test null a1
(assert_return (invoke "bits" (i32.const 125)) (i32.const 0x2001))  ;; if null a1
(assert_return (invoke "bits" (i32.const 126)) (i32.const 0x2001))  ;; br null a1
(assert_return (invoke "bits" (i32.const 127)) (i32.const 0x2001))  ;; br fail null a1
(assert_return (invoke "cast null a1" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null a1" (i32.const 1)) "cast failure")
(assert_return (invoke "bits" (i32.const 128)) (i32.const 0x4000))  ;; test other
(assert_return (invoke "bits" (i32.const 129)) (i32.const 0x4000))  ;; if other
(assert_return (invoke "bits" (i32.const 130)) (i32.const 0x4000))  ;; br other
(assert_return (invoke "bits" (i32.const 131)) (i32.const 0x4000))  ;; br fail other
(assert_return (invoke "cast other" (i32.const 14)) (i32.const 0))
(assert_trap (invoke "cast other" (i32.const 0)) "cast failure")
(assert_return (invoke "bits" (i32.const 132)) (i32.const 0x4001))  ;; test null other
(assert_return (invoke "bits" (i32.const 133)) (i32.const 0x4001))  ;; if null other
(assert_return (invoke "bits" (i32.const 134)) (i32.const 0x4001))  ;; br null other
(assert_return (invoke "bits" (i32.const 135)) (i32.const 0x4001))  ;; br fail null other
(assert_return (invoke "cast null other" (i32.const 0)) (i32.const 1))
(assert_trap (invoke "cast null other" (i32.const 1)) "cast failure")
(assert_return (invoke "narrow" (i32.const 0)) (i32.const 0))
(assert_return (invoke "narrow" (i32.const 4)) (i32.const 0))
(assert_return (invoke "narrow" (i32.const 5)) (i32.const 0))
(assert_return (invoke "narrow" (i32.const 6)) (i32.const 1))
(assert_return (invoke "narrow" (i32.const 7)) (i32.const 1))
(assert_return (invoke "narrow" (i32.const 8)) (i32.const 1))
(assert_return (invoke "narrow" (i32.const 9)) (i32.const 1))
(assert_return (invoke "narrow" (i32.const 10)) (i32.const 0))
(assert_return (invoke "narrow" (i32.const 11)) (i32.const 1))
(assert_return (invoke "narrower" (i32.const 4)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 5)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 6)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 7)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 8)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 9)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 10)) (i32.const 1))
(assert_return (invoke "narrower" (i32.const 11)) (i32.const 0))
(assert_return (invoke "narrower" (i32.const 14)) (i32.const 0))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 0)) (i32.const 5) (f64.const 6) (i32.const 0))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 0)) (f64.const 23))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 1)) (i32.const 5) (f64.const 6) (i32.const 0))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 1)) (f64.const 22))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 2)) (i32.const 5) (f64.const 6) (i32.const 0))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 2)) (f64.const 22))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 7)) (i32.const 5) (f64.const 6) (i32.const 0))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 7)) (f64.const 22))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 8)) (i32.const 5) (f64.const 6) (i32.const 1))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 8)) (f64.const 23))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 9)) (i32.const 5) (f64.const 6) (i32.const 1))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 9)) (f64.const 24))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 11)) (i32.const 5) (f64.const 6) (i32.const 1))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 11)) (f64.const 24))
(assert_return (invoke "carried" (i32.const 4) (f64.const 5) (i32.const 12)) (i32.const 5) (f64.const 6) (i32.const 0))
(assert_return (invoke "kept" (i32.const 4) (f64.const 5) (i32.const 12)) (f64.const 22))

;; Functions, whose types the runtime compares where they are not the same.
(module
  (type $f0 (sub (func (result i32))))
  (type $f1 (sub $f0 (func (result i32))))
  (type $f2 (sub final $f1 (func (result i32))))
  (type $g (func (param i32)))
  (func $h0 (type $f0) (i32.const 0))
  (func $h1 (type $f1) (i32.const 1))
  (func $h2 (type $f2) (i32.const 2))
  (func $k (type $g))
  (table $t funcref (elem (ref.null func) (ref.func $h0) (ref.func $h1) (ref.func $h2) (ref.func $k)))
  (type $test (func (param funcref) (result i32)))
  (global $r (mut funcref) (ref.null func))
  (func (export "bits") (param $test i32) (result i32)
    (local $i i32) (local $bits i32)
    (loop $next
      (global.set $r (table.get $t (local.get $i)))
      (local.set $bits (i32.or (local.get $bits)
        (i32.shl (call_indirect $tests (type $test) (global.get $r) (local.get $test)) (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
    (local.get $bits))
  (func $test0 (type $test) (ref.test (ref func) (local.get 0)))
  (func $test1 (type $test) (if (result i32) (ref.test (ref func) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test2 (type $test) (block (result (ref func)) (br_on_cast 0 funcref (ref func) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test3 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref func) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test4 (type $test) (ref.test (ref null func) (local.get 0)))
  (func $test5 (type $test) (if (result i32) (ref.test (ref null func) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test6 (type $test) (block (result (ref null func)) (br_on_cast 0 funcref (ref null func) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test7 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null func) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test8 (type $test) (ref.test (ref nofunc) (local.get 0)))
  (func $test9 (type $test) (if (result i32) (ref.test (ref nofunc) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test10 (type $test) (block (result (ref nofunc)) (br_on_cast 0 funcref (ref nofunc) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test11 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref nofunc) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test12 (type $test) (ref.test (ref null nofunc) (local.get 0)))
  (func $test13 (type $test) (if (result i32) (ref.test (ref null nofunc) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test14 (type $test) (block (result (ref null nofunc)) (br_on_cast 0 funcref (ref null nofunc) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test15 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null nofunc) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test16 (type $test) (ref.test (ref $f0) (local.get 0)))
  (func $test17 (type $test) (if (result i32) (ref.test (ref $f0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test18 (type $test) (block (result (ref $f0)) (br_on_cast 0 funcref (ref $f0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test19 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref $f0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test20 (type $test) (ref.test (ref null $f0) (local.get 0)))
  (func $test21 (type $test) (if (result i32) (ref.test (ref null $f0) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test22 (type $test) (block (result (ref null $f0)) (br_on_cast 0 funcref (ref null $f0) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test23 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null $f0) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test24 (type $test) (ref.test (ref $f1) (local.get 0)))
  (func $test25 (type $test) (if (result i32) (ref.test (ref $f1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test26 (type $test) (block (result (ref $f1)) (br_on_cast 0 funcref (ref $f1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test27 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref $f1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test28 (type $test) (ref.test (ref null $f1) (local.get 0)))
  (func $test29 (type $test) (if (result i32) (ref.test (ref null $f1) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test30 (type $test) (block (result (ref null $f1)) (br_on_cast 0 funcref (ref null $f1) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test31 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null $f1) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test32 (type $test) (ref.test (ref $f2) (local.get 0)))
  (func $test33 (type $test) (if (result i32) (ref.test (ref $f2) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test34 (type $test) (block (result (ref $f2)) (br_on_cast 0 funcref (ref $f2) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test35 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref $f2) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test36 (type $test) (ref.test (ref null $f2) (local.get 0)))
  (func $test37 (type $test) (if (result i32) (ref.test (ref null $f2) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test38 (type $test) (block (result (ref null $f2)) (br_on_cast 0 funcref (ref null $f2) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test39 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null $f2) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test40 (type $test) (ref.test (ref $g) (local.get 0)))
  (func $test41 (type $test) (if (result i32) (ref.test (ref $g) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test42 (type $test) (block (result (ref $g)) (br_on_cast 0 funcref (ref $g) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test43 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref $g) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func $test44 (type $test) (ref.test (ref null $g) (local.get 0)))
  (func $test45 (type $test) (if (result i32) (ref.test (ref null $g) (global.get $r)) (then (i32.const 1)) (else (i32.const 0))))
  (func $test46 (type $test) (block (result (ref null $g)) (br_on_cast 0 funcref (ref null $g) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1))
  (func $test47 (type $test) (block (result funcref) (br_on_cast_fail 0 funcref (ref null $g) (global.get $r)) (drop) (return (i32.const 1))) (drop) (i32.const 0))
  (func (export "call f1") (param i32) (result i32) (call_ref $f1 (ref.cast (ref $f1) (table.get $t (local.get 0)))))
  (func (export "kept") (param $x i64) (param $y f32) (result i64)
    (i64.add (i64.mul (local.get $x) (i64.const 7))
      (i64.add (i64.trunc_f32_s (f32.mul (local.get $y) (f32.const 3)))
        (i64.extend_i32_u (ref.test (ref $f0) (table.get $t (i32.const 3)))))))
  (table $tests funcref (elem $test0 $test1 $test2 $test3 $test4 $test5 $test6 $test7 $test8 $test9 $test10 $test11
    $test12 $test13 $test14 $test15 $test16 $test17 $test18 $test19 $test20 $test21 $test22 $test23 $test24 $test25
    $test26 $test27 $test28 $test29 $test30 $test31 $test32 $test33 $test34 $test35 $test36 $test37 $test38 $test39
    $test40 $test41 $test42 $test43 $test44 $test45 $test46 $test47)))
(assert_return (invoke "bits" (i32.const 0)) (i32.const 0x1e))  ;; test func
(assert_return (invoke "bits" (i32.const 1)) (i32.const 0x1e))  ;; if func
(assert_return (invoke "bits" (i32.const 2)) (i32.const 0x1e))  ;; br func
(assert_return (invoke "bits" (i32.const 3)) (i32.const 0x1e))  ;; br fail func
(assert_return (invoke "bits" (i32.const 4)) (i32.const 0x1f))  ;; test null func
(assert_return (invoke "bits" (i32.const 5)) (i32.const 0x1f))  ;; if null func
(assert_return (invoke "bits" (i32.const 6)) (i32.const 0x1f))  ;; br null func
(assert_return (invoke "bits" (i32.const 7)) (i32.const 0x1f))  ;; br fail null func
(assert_return (invoke "bits" (i32.const 8)) (i32.const 0x0))  ;; test nofunc
(assert_return (invoke "bits" (i32.const 9)) (i32.const 0x0))  ;; if nofunc
(assert_return (invoke "bits" (i32.const 10)) (i32.const 0x0))  ;; br nofunc
(assert_return (invoke "bits" (i32.const 11)) (i32.const 0x0))  ;; br fail nofunc
(assert_return (invoke "bits" (i32.const 12)) (i32.const 0x1))  ;; test null nofunc
(assert_return (invoke "bits" (i32.const 13)) (i32.const 0x1))  ;; if null nofunc
(assert_return (invoke "bits" (i32.const 14)) (i32.const 0x1))  ;; br null nofunc
(assert_return (invoke "bits" (i32.const 15)) (i32.const 0x1))  ;; br fail null nofunc
(assert_return (invoke "bits" (i32.const 16)) (i32.const 0xe))  ;; test f0
(assert_return (invoke "bits" (i32.const 17)) (i32.const 0xe))  ;; if f0
(assert_return (invoke "bits" (i32.const 18)) (i32.const 0xe))  ;; br f0
(assert_return (invoke "bits" (i32.const 19)) (i32.const 0xe))  ;; br fail f0
(assert_return (invoke "bits" (i32.const 20)) (i32.const 0xf))  ;; test null f0
(assert_return (invoke "bits" (i32.const 21)) (i32.const 0xf))  ;; if null f0
(assert_return (invoke "bits" (i32.const 22)) (i32.const 0xf))  ;; br null f0
(assert_return (invoke "bits" (i32.const 23)) (i32.const 0xf))  ;; br fail null f0
(assert_return (invoke "bits" (i32.const 24)) (i32.const 0xc))  ;; test f1
(assert_return (invoke "bits" (i32.const 25)) (i32.const 0xc))  ;; if f1
(assert_return (invoke "bits" (i32.const 26)) (i32.const 0xc))  ;; br f1
(assert_return (invoke "bits" (i32.const 27)) (i32.const 0xc))  ;; br fail f1
(assert_return (invoke "bits" (i32.const 28)) (i32.const 0xd))  ;; test null f1
(assert_return (invoke "bits" (i32.const 29)) (i32.const 0xd))  ;; if null f1
(assert_return (invoke "bits" (i32.const 30)) (i32.const 0xd))  ;; br null f1
(assert_return (invoke "bits" (i32.const 31)) (i32.const 0xd))  ;; br fail null f1
(assert_return (invoke "bits" (i32.const 32)) (i32.const 0x8))  ;; test f2
(assert_return (invoke "bits" (i32.const 33)) (i32.const 0x8))  ;; if f2
(assert_return (invoke "bits" (i32.const 34)) (i32.const 0x8))  ;; br f2
(assert_return (invoke "bits" (i32.const 35)) (i32.const 0x8))  ;; br fail f2
(assert_return (invoke "bits" (i32.const 36)) (i32.const 0x9))  ;; test null f2
(assert_return (invoke "bits" (i32.const 37)) (i32.const 0x9))  ;; if null f2
(assert_return (invoke "bits" (i32.const 38)) (i32.const 0x9))  ;; br null f2
(assert_return (invoke "bits" (i32.const 39)) (i32.const 0x9))  ;; br fail null f2
(assert_return (invoke "bits" (i32.const 40)) (i32.const 0x10))  ;; test g
(assert_return (invoke "bits" (i32.const 41)) (i32.const 0x10))  ;; if g
(assert_return (invoke "bits" (i32.const 42)) (i32.const 0x10))  ;; br g
(assert_return (invoke "bits" (i32.const 43)) (i32.const 0x10))  ;; br fail g
(assert_return (invoke "bits" (i32.const 44)) (i32.const 0x11))  ;; test null g
(assert_return (invoke "bits" (i32.const 45)) (i32.const 0x11))  ;; if null g
(assert_return (invoke "bits" (i32.const 46)) (i32.const 0x11))  ;; br null g
(assert_return (invoke "bits" (i32.const 47)) (i32.const 0x11))  ;; br fail null g
(assert_return (invoke "call f1" (i32.const 2)) (i32.const 1))
(assert_return (invoke "call f1" (i32.const 3)) (i32.const 2))
(assert_trap (invoke "call f1" (i32.const 1)) "cast failure")
(assert_trap (invoke "call f1" (i32.const 0)) "cast failure")
(assert_trap (invoke "call f1" (i32.const 4)) "cast failure")
(assert_return (invoke "kept" (i64.const 2) (f32.const 5)) (i64.const 30))
