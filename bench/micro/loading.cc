// From bytes to code: decoding, validation and translation of modules from 1 kB to 10 MB, in bytes a second.
#include <map>

#include "bench/generator/module_generator.h"
#include "bench/micro/micro.h"

namespace wasi::bench {
namespace {

const std::vector<std::uint8_t>& bytes_of(std::int64_t size) {
  static std::map<std::int64_t, std::vector<std::uint8_t>> made;
  auto& bytes = made[size];
  if (bytes.empty()) bytes = generate_module(static_cast<std::uint64_t>(size)).bytes;
  return bytes;
}

void load(benchmark::State& state, Validation validation) {
  EngineConfig config = engine_config();
  config.validation = validation;
  const Engine engine = must(Engine::create(config));
  const auto& bytes = bytes_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(must(Module::from_bytes(engine, std::span(bytes))));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(load, decode, Validation::lazy)->Name("decode")->RangeMultiplier(10)->Range(1000, 10'000'000);
BENCHMARK_CAPTURE(load, validate, Validation::eager)
    ->Name("decode_and_validate")
    ->RangeMultiplier(10)
    ->Range(1000, 10'000'000);

// Bodies were validated at load; what is timed is the first call of every function.
void translate(benchmark::State& state) {
  const auto& bytes = bytes_of(state.range(0));
  std::uint64_t translated = 0;
  for (auto _ : state) {
    const Engine engine = make_engine();
    const Module module = must(Module::from_bytes(engine, std::span(bytes)));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    must(must(instance.function<void()>("_start"))());
    const PhaseMetrics metrics = engine.metrics().translate;
    state.SetIterationTime(std::chrono::duration<double>(metrics.time).count());
    translated += metrics.bytes;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(translated));
}
BENCHMARK(translate)->RangeMultiplier(10)->Range(1000, 10'000'000)->UseManualTime();

}  // namespace
}  // namespace wasi::bench
