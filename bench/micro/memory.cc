// Linear memory and the heap of objects: growth, bulk operations, allocation.
#include "bench/micro/micro.h"

namespace wasi::bench {
namespace {

constexpr std::string_view kMemory = R"((module
  (memory (export "memory") 1)
  (func (export "grow") (param $times i32) (param $pages i32) (result i32)
    (loop $again
      (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (return (i32.const -1))))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (memory.size))
  (func (export "touch") (param $pages i32) (local $at i32)
    (loop $again
      (i32.store8 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $again (i32.lt_u (local.get $at) (i32.shl (local.get $pages) (i32.const 16))))))
  (func (export "fill") (param $size i32) (memory.fill (i32.const 0) (i32.const 7) (local.get $size)))
  (func (export "copy") (param $size i32) (memory.copy (i32.const 0) (local.get $size) (local.get $size)))))";

Instance memory_instance(const Engine& engine, Store& store) {
  return must(Linker(engine).instantiate(store, module_of(engine, kMemory)));
}

// `times` steps of `pages` each, from one page on, in an instance of its own; one iteration is all of them.
void grow(benchmark::State& state, std::int32_t times, std::int32_t pages) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, kMemory);
  for (auto _ : state) {
    state.PauseTiming();
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    const auto function = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("grow"));
    state.ResumeTiming();
    if (must(function(times, pages)) != 1 + times * pages) state.SkipWithError("it did not grow");
  }
  state.counters["per_step_ns"] = benchmark::Counter(
      static_cast<double>(times), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(grow, small_steps, 10'000, 1)->Name("grow_by_1_page_10000")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(grow, one_step, 1, 10'000)->Name("grow_by_10000_pages_1")->Unit(benchmark::kMicrosecond);

// One page, its neighbours grown, every one of 4 KiB written to once.
void grow_and_touch(benchmark::State& state) {
  const Engine engine = make_engine();
  const Module module = module_of(engine, kMemory);
  constexpr std::int32_t kPages = 160;  // 10 MiB
  for (auto _ : state) {
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    must(must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("grow"))(1, kPages));
    must(must(instance.function<void(std::int32_t)>("touch"))(kPages));
  }
}
BENCHMARK(grow_and_touch)->Name("grow_and_touch_10MiB")->Unit(benchmark::kMicrosecond);

void bulk(benchmark::State& state, const char* name) {
  const Engine engine = make_engine();
  Store store(engine);
  const Instance instance = memory_instance(engine, store);
  must(must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("grow"))(1, 64));
  const auto function = must(instance.function<void(std::int32_t)>(name));
  for (auto _ : state) must(function(static_cast<std::int32_t>(state.range(0))));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(bulk, fill, "fill")->Name("fill")->Arg(64)->Arg(1 << 20);
BENCHMARK_CAPTURE(bulk, copy, "copy")->Name("copy")->Arg(64)->Arg(1 << 20);

constexpr std::string_view kObjects = R"((module
  (type $pair (struct (field (mut i32)) (field (ref null $pair))))
  (type $bytes (array (mut i8)))
  (global $kept (mut (ref null $pair)) (ref.null $pair))
  (func (export "structures") (param $n i32)
    (loop $again
      (global.set $kept (struct.new $pair (local.get $n) (ref.null $pair)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "lists") (param $n i32) (local $list (ref null $pair))
    (loop $again
      (local.set $list (struct.new $pair (local.get $n) (local.get $list)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (global.set $kept (local.get $list)))
  (func (export "arrays") (param $n i32)
    (loop $again
      (drop (array.new $bytes (i32.const 0) (i32.const 100)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))))";

// One iteration is one object. Structures die at once, or stay until their list of 1000 goes.
void allocate(benchmark::State& state, const char* name) {
  const Engine engine = make_engine();
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module_of(engine, kObjects)));
  const auto function = must(instance.function<void(std::int32_t)>(name));
  constexpr std::int32_t kBatch = 1000;
  while (state.KeepRunningBatch(kBatch)) must(function(kBatch));
}
BENCHMARK_CAPTURE(allocate, structures, "structures")->Name("gc/structures");
BENCHMARK_CAPTURE(allocate, lists, "lists")->Name("gc/lists");
BENCHMARK_CAPTURE(allocate, arrays, "arrays")->Name("gc/arrays_100_bytes");

// A collection that finds so many objects alive.
void collect(benchmark::State& state) {
  const Engine engine = make_engine();
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module_of(engine, kObjects)));
  must(must(instance.function<void(std::int32_t)>("lists"))(static_cast<std::int32_t>(state.range(0))));
  for (auto _ : state) store.collect_garbage();
}
BENCHMARK(collect)->Name("gc/collect")->Arg(1000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace wasi::bench
