// What it costs to go from the host into Wasm, from Wasm to the host, and from function to function: one iteration is
// one call. Calls out of Wasm are made by a loop in Wasm; `loop/empty` is what the loop itself costs.
#include <array>

#include "bench/micro/micro.h"

namespace wasi::bench {
namespace {

// A module's functions for the host to call.
constexpr std::string_view kCallees = R"((module
  (func (export "nop"))
  (func (export "add_i32") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "add_f64") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))
  (func (export "ten_i64") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (i64.add (local.get 0) (local.get 9)))
  (func (export "trap") unreachable)))";

template <class F>
auto callee(Store& store, const Engine& engine, const char* name) {
  const Linker linker(engine);
  const Instance instance = must(linker.instantiate(store, module_of(engine, kCallees)));
  return must(instance.function<F>(name));
}

void host_to_wasm_nop(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const auto function = callee<void()>(store, engine, "nop");
  for (auto _ : state) must(function());
}
BENCHMARK(host_to_wasm_nop)->Name("host_to_wasm/nop");

void host_to_wasm_add_i32(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const auto function = callee<std::int32_t(std::int32_t, std::int32_t)>(store, engine, "add_i32");
  std::int32_t sum = 0;
  for (auto _ : state) sum = must(function(sum, 1));
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(host_to_wasm_add_i32)->Name("host_to_wasm/add_i32");

void host_to_wasm_add_f64(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const auto function = callee<double(double, double)>(store, engine, "add_f64");
  double sum = 0;
  for (auto _ : state) sum = must(function(sum, 1));
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(host_to_wasm_add_f64)->Name("host_to_wasm/add_f64");

void host_to_wasm_ten_i64(benchmark::State& state) {
  using L = std::int64_t;
  const Engine engine = make_engine();
  Store store(engine);
  const auto function = callee<L(L, L, L, L, L, L, L, L, L, L)>(store, engine, "ten_i64");
  L sum = 0;
  for (auto _ : state) sum = must(function(sum, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(host_to_wasm_ten_i64)->Name("host_to_wasm/ten_i64");

void host_to_wasm_untyped(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module_of(engine, kCallees)));
  const Function function = must(instance.func("add_i32"));
  const std::array<Value, 2> args = {Value(std::int32_t{1}), Value(std::int32_t{2})};
  for (auto _ : state) benchmark::DoNotOptimize(must(function.call(args)));
}
BENCHMARK(host_to_wasm_untyped)->Name("host_to_wasm/untyped_add_i32");

void host_to_wasm_trap(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const auto function = callee<void()>(store, engine, "trap");
  for (auto _ : state) {
    if (function()) state.SkipWithError("it did not trap");
  }
}
BENCHMARK(host_to_wasm_trap)->Name("host_to_wasm/trap");

// A module with loops that do one thing each, so many times.
constexpr std::string_view kLoops = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "host" "nop" (func $nop))
  (import "host" "add_i32" (func $add_i32 (param i32 i32) (result i32)))
  (import "host" "add_f64" (func $add_f64 (param f64 f64) (result f64)))
  (import "host" "read" (func $read (param i32) (result i32)))
  (import "host" "untyped" (func $untyped (param i32 i32) (result i32)))
  (import "other" "inc" (func $other (type $unary)))
  (import "other" "table" (table $others 1 funcref))
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
  (elem declare func $inc)

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
  (func (export "indirect/other_module") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call_indirect $others (type $unary) (local.get $x) (i32.const 0)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "indirect/reference") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call_ref $unary (local.get $x) (ref.func $inc)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "across_instances/direct") (param $n i32) (local $x i32)
    (loop $again
      (local.set $x (call $other (local.get $x)))
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

constexpr std::string_view kOther = R"((module
  (table (export "table") funcref (elem $inc))
  (func $inc (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))))";

void define_host(Linker& linker) {
  linker.define("host", "nop", [] {});
  linker.define("host", "add_i32", [](std::int32_t a, std::int32_t b) { return a + b; });
  linker.define("host", "add_f64", [](double a, double b) { return a + b; });
  linker.define("host", "read", [](Caller& caller, std::int32_t address) -> std::int32_t {
    return caller.memory().read<std::int32_t>(static_cast<std::uint32_t>(address)).value_or(0);
  });
  const FunctionType type{{ValueType::i32(), ValueType::i32()}, {ValueType::i32()}};
  linker.define_untyped(
      "host", "untyped", type,
      [](Caller&, std::span<const Value> args, std::span<Value> results) -> std::expected<void, Trap> {
        results[0] = Value(*args[0].as<std::int32_t>() + *args[1].as<std::int32_t>());
        return {};
      });
}

// Standard output goes to nothing, within the process.
void loop(benchmark::State& state, const char* name) {
  const Engine engine = make_engine();
  Store store(engine);
  Linker linker(engine);
  define_host(linker);
  linker.define_wasi(WasiConfig().args({"crossing"}));
  const Instance other = must(linker.instantiate(store, module_of(engine, kOther)));
  linker.define_instance("other", other);
  const Instance instance = must(linker.instantiate(store, module_of(engine, kLoops)));
  const auto function = must(instance.function<void(std::int32_t)>(name));
  constexpr std::int32_t kBatch = 1000;
  while (state.KeepRunningBatch(kBatch)) must(function(kBatch));
}
BENCHMARK_CAPTURE(loop, empty, "loop/empty")->Name("loop/empty");
BENCHMARK_CAPTURE(loop, direct, "wasm_to_wasm/direct")->Name("wasm_to_wasm/direct");
BENCHMARK_CAPTURE(loop, same_module, "indirect/same_module")->Name("indirect/same_module");
BENCHMARK_CAPTURE(loop, other_module, "indirect/other_module")->Name("indirect/other_module");
BENCHMARK_CAPTURE(loop, reference, "indirect/reference")->Name("indirect/reference");
BENCHMARK_CAPTURE(loop, across, "across_instances/direct")->Name("across_instances/direct");
BENCHMARK_CAPTURE(loop, nop, "wasm_to_host/nop")->Name("wasm_to_host/nop");
BENCHMARK_CAPTURE(loop, add_i32, "wasm_to_host/add_i32")->Name("wasm_to_host/add_i32");
BENCHMARK_CAPTURE(loop, add_f64, "wasm_to_host/add_f64")->Name("wasm_to_host/add_f64");
BENCHMARK_CAPTURE(loop, memory_read, "wasm_to_host/memory_read")->Name("wasm_to_host/memory_read");
BENCHMARK_CAPTURE(loop, untyped, "wasm_to_host/untyped_add_i32")->Name("wasm_to_host/untyped_add_i32");
BENCHMARK_CAPTURE(loop, clock_time_get, "wasi/clock_time_get")->Name("wasi/clock_time_get");
BENCHMARK_CAPTURE(loop, fd_write, "wasi/fd_write")->Name("wasi/fd_write");
BENCHMARK_CAPTURE(loop, fd_read, "wasi/fd_read")->Name("wasi/fd_read");
BENCHMARK_CAPTURE(loop, random_get, "wasi/random_get")->Name("wasi/random_get");
BENCHMARK_CAPTURE(loop, sched_yield, "wasi/sched_yield")->Name("wasi/sched_yield");
BENCHMARK_CAPTURE(loop, args_sizes_get, "wasi/args_sizes_get")->Name("wasi/args_sizes_get");
BENCHMARK_CAPTURE(loop, fd_fdstat_get, "wasi/fd_fdstat_get")->Name("wasi/fd_fdstat_get");

}  // namespace
}  // namespace wasi::bench
