// What it costs to go from the host into Wasm, from Wasm to the host, and from function to function: one iteration is
// one call. Calls out of Wasm are made by a loop in Wasm; `loop/empty` is what the loop itself costs.
#include <array>

#include "bench/micro/crossing_modules.h"
#include "bench/micro/micro.h"

namespace wasi::bench {
namespace {

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
void loop(benchmark::State& state, std::string_view text, const char* name) {
  const Engine engine = make_engine();
  Store store(engine);
  Linker linker(engine);
  define_host(linker);
  linker.define_wasi(WasiConfig().args({"crossing"}));
  const Instance other = must(linker.instantiate(store, module_of(engine, kOther)));
  linker.define_instance("other", other);
  const Instance instance = must(linker.instantiate(store, module_of(engine, text)));
  const auto function = must(instance.function<void(std::int32_t)>(name));
  constexpr std::int32_t kBatch = 1000;
  while (state.KeepRunningBatch(kBatch)) must(function(kBatch));
}
#define CROSSING_LOOP(id, text, name) BENCHMARK_CAPTURE(loop, id, text, name)->Name(name);
#include "bench/micro/crossing_loops.def"
#undef CROSSING_LOOP

}  // namespace
}  // namespace wasi::bench
