// What an instance of a module that is already loaded costs: time to make and to drop it, and memory while it idles.
// One iteration is one instance; the argument is how many of them are alive in the end.
#include <malloc.h>

#include <chrono>
#include <optional>
#include <vector>

#include "bench/micro/micro.h"

namespace wasi::bench {
namespace {

// As small programs are: a memory with some data, a table, globals, a few functions.
constexpr std::string_view kProgram = R"((module
  (memory (export "memory") 1)
  (table (export "table") funcref (elem $a $b))
  (global $top (mut i32) (i32.const 65536))
  (global $count (mut i64) (i64.const 0))
  (data (i32.const 1024) "An instance has some data of its own, which has to be there before it runs.")
  (func $a (param i32) (result i32) (i32.load (local.get 0)))
  (func $b (param i32) (result i32) (local.get 0))
  (func (export "run") (param $pages i32) (result i32)
    (local $at i32)
    (loop $again
      (i32.store (i32.mul (local.get $at) (i32.const 4096)) (local.get $at))
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $pages))))
    (call_indirect (param i32) (result i32) (i32.const 1024) (i32.const 0)))))";

// Nothing that takes address space.
constexpr std::string_view kPure = R"((module
  (global (mut i32) (i32.const 0))
  (func (export "run") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))))";

using Clock = std::chrono::steady_clock;

// An instance in a store of its own, as one per request is made.
struct Guest {
  Store store;
  std::optional<Instance> instance;
};

StoreConfig store_config() { return {.instance_limit = 1'000'000}; }

bool works(const Instance& instance) {
  const auto run = instance.function<std::int32_t(std::int32_t)>("run");
  return run && (*run)(1);
}
bool works(const std::vector<Guest>& guests) { return works(*guests.back().instance); }

// The time of making them all, by hand, since dropping them does not count here.
template <class Make>
void measure(benchmark::State& state, Make make) {
  const auto count = static_cast<std::size_t>(state.range(0));
  double seconds = 0;
  double bytes = 0;
  std::uint64_t made = 0;
  while (state.KeepRunningBatch(state.range(0))) {
    malloc_trim(0);  // what earlier ones left would be used again and not be seen
    const std::uint64_t before = resident_bytes();
    const auto alive = make(count, seconds);
    if (!alive) {
      state.SkipWithError(alive.error().to_string().c_str());
      return;
    }
    bytes += static_cast<double>(resident_bytes()) - static_cast<double>(before);
    made += count;
    if (!works(*alive)) {
      state.SkipWithError("the last instance cannot be called");
      return;
    }
  }
  state.counters["per_item_ns"] = seconds * 1e9 / static_cast<double>(made);
  state.counters["bytes_per_instance"] = bytes / static_cast<double>(made);
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// By a linker that looks everything up each time, or prepared.
void in_own_stores(benchmark::State& state, std::string_view text, bool is_prepared) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, text);
  const Linker linker(engine);
  const InstancePre prepared = must(linker.prepare(module));
  measure(state, [&](std::size_t count, double& seconds) -> std::expected<std::vector<Guest>, InstantiationError> {
    std::vector<Guest> guests;
    guests.reserve(count);
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; i++) {
      Guest guest{Store(engine, store_config()), std::nullopt};
      auto instance = is_prepared ? prepared.instantiate(guest.store) : linker.instantiate(guest.store, module);
      if (!instance) return std::unexpected(std::move(instance).error());
      guest.instance = std::move(*instance);
      guests.push_back(std::move(guest));
    }
    seconds += since(start);
    return guests;
  });
}
BENCHMARK_CAPTURE(in_own_stores, program, kProgram, false)->Name("instantiate")->RangeMultiplier(10)->Range(1, 100'000);
BENCHMARK_CAPTURE(in_own_stores, program, kProgram, true)->Name("instantiate_prepared")->Arg(1000);
BENCHMARK_CAPTURE(in_own_stores, pure, kPure, false)->Name("instantiate_pure")->RangeMultiplier(10)->Range(1, 100'000);

void in_one_store(benchmark::State& state, std::string_view text) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, text);
  const Linker linker(engine);
  measure(state, [&](std::size_t count, double& seconds) -> std::expected<Instance, InstantiationError> {
    const auto start = Clock::now();
    Store store(engine, store_config());
    for (std::size_t i = 1; i < count; i++) {
      auto instance = linker.instantiate(store, module);
      if (!instance) return std::unexpected(std::move(instance).error());
    }
    auto last = linker.instantiate(store, module);  // keeps the store alive
    seconds += since(start);
    return last;
  });
}
BENCHMARK_CAPTURE(in_one_store, program, kProgram)
    ->Name("instantiate_in_one_store")
    ->RangeMultiplier(10)
    ->Range(1, 100'000);

// A request: a fresh instance, a call that writes to so many pages, and everything gone again.
void reset(benchmark::State& state) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, kProgram);
  const Linker linker(engine);
  for (auto _ : state) {
    Store store(engine);
    const Instance instance = must(linker.instantiate(store, module));
    must(must(instance.function<std::int32_t(std::int32_t)>("run"))(static_cast<std::int32_t>(state.range(0))));
  }
}
BENCHMARK(reset)->Name("reset")->Arg(1)->Arg(4)->Arg(16);

// A WASI program's descriptors and arguments come on top.
void instantiate_wasi(benchmark::State& state, bool is_prepared) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, R"((module
    (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
    (memory (export "memory") 2)
    (func (export "_start"))))");
  Linker linker(engine);
  linker.define_wasi(WasiConfig().args({"program", "argument"}).env("NAME", "value").preopen("/tmp", "/tmp"));
  const InstancePre prepared = must(linker.prepare(module));
  for (auto _ : state) {
    Store store(engine);
    const Instance instance = must(is_prepared ? prepared.instantiate(store) : linker.instantiate(store, module));
    must(must(instance.function<void()>("_start"))());
  }
}
BENCHMARK_CAPTURE(instantiate_wasi, named, false)->Name("request/wasi");
BENCHMARK_CAPTURE(instantiate_wasi, prepared, true)->Name("request/wasi_prepared");

// Twenty functions of the host, which is about what programs import.
void instantiate_imports(benchmark::State& state, bool is_prepared) {
  const Engine engine = make_engine();
  Linker linker(engine);
  std::string text = "(module";
  for (int i = 0; i < 20; ++i) {
    const std::string name = "function_" + std::to_string(i);
    linker.define("environment", name, [i](std::int32_t x) { return x + i; });
    text += R"((import "environment" ")" + name + R"(" (func (param i32) (result i32))))";
  }
  const Module module = module_of(engine, text + R"((func (export "run") (param i32) (result i32) (local.get 0))))");
  const InstancePre prepared = must(linker.prepare(module));
  for (auto _ : state) {
    Store store(engine);
    benchmark::DoNotOptimize(must(is_prepared ? prepared.instantiate(store) : linker.instantiate(store, module)));
  }
}
BENCHMARK_CAPTURE(instantiate_imports, named, false)->Name("instantiate_imports/named");
BENCHMARK_CAPTURE(instantiate_imports, prepared, true)->Name("instantiate_imports/prepared");

}  // namespace
}  // namespace wasi::bench
