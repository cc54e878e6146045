// The modules of the crossing benchmarks, for us and for the peers that have a C API.
#pragma once

#include <string_view>

namespace wasi::bench {

// A module's functions for the host to call.
inline constexpr std::string_view kCallees = R"((module
  (func (export "nop"))
  (func (export "add_i32") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "add_f64") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))
  (func (export "ten_i64") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (i64.add (local.get 0) (local.get 9)))
  (func (export "trap") unreachable)))";

// A module with loops that do one thing each, so many times.
inline constexpr std::string_view kLoops = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "host" "nop" (func $nop))
  (import "host" "add_i32" (func $add_i32 (param i32 i32) (result i32)))
  (import "host" "add_f64" (func $add_f64 (param f64 f64) (result f64)))
  (import "host" "read" (func $read (param i32) (result i32)))
  (import "host" "untyped" (func $untyped (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read_fd (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\80\00\00\00\10\00\00\00")  ;; an iovec: 16 bytes at 128
  (table $own funcref (elem $inc))
  (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))

  (func (export "loop/empty") (param $n i32)
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_wasm/direct") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $inc (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "indirect/same_module") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call_indirect $own (type $unary) (local.get $x) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_host/nop") (param $n i32)
    (loop $again
      (call $nop)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_host/add_i32") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $add_i32 (local.get $x) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_host/add_f64") (param $n i32) (local $x f64)
    (loop $again
      (local.set $x (call $add_f64 (local.get $x) (f64.const 1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_host/memory_read") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $read (i32.const 64)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasm_to_host/untyped_add_i32") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $untyped (local.get $x) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/clock_time_get") (param $n i32)
    (loop $again
      (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/fd_write") (param $n i32)
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/fd_read") (param $n i32)
    (loop $again
      (drop (call $read_fd (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/random_get") (param $n i32)
    (loop $again
      (drop (call $random (i32.const 128) (i32.const 16)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/sched_yield") (param $n i32)
    (loop $again
      (drop (call $yield))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/args_sizes_get") (param $n i32)
    (loop $again
      (drop (call $args (i32.const 0) (i32.const 4)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "wasi/fd_fdstat_get") (param $n i32)
    (loop $again
      (drop (call $fdstat (i32.const 1) (i32.const 128)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
))";

inline constexpr std::string_view kOther = R"((module
  (table (export "table") funcref (elem $inc))
  (func $inc (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))))";

// The same of functions in another instance.
inline constexpr std::string_view kLinkedLoops = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "other" "inc" (func $other (type $unary)))
  (import "other" "table" (table $others 1 funcref))
  (func (export "indirect/other_module") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call_indirect $others (type $unary) (local.get $x) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "across_instances/direct") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $other (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
))";

// The same through a reference: a module of its own, as not every engine has them.
inline constexpr std::string_view kReferenceLoops = R"((module
  (type $unary (func (param i32) (result i32)))
  (func $inc (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (elem declare func $inc)
  (func (export "indirect/reference") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call_ref $unary (local.get $x) (ref.func $inc)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
))";

}  // namespace wasi::bench
