// The crossing benchmarks of bench/micro in wasmtime, through its C API: the same modules under the same names.
//
//   crossing [--mode=cranelift|winch|pulley] [options of Google Benchmark]
//
// Calls and host functions are "unchecked" where ours are typed, as that is wasmtime's fast way in C; untyped ones go
// through its tagged values.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/crossing_modules.h"
#include "wasmtime_api.h"

namespace {

using namespace wasi::bench;

std::string mode = "cranelift";

void check(wasmtime_error_t* error, wasm_trap_t* trap = nullptr) {
  if (error == nullptr && trap == nullptr) return;
  wasm_byte_vec_t text;
  if (error != nullptr) {
    wasmtime_error_message(error, &text);
  } else {
    wasm_trap_message(trap, &text);
  }
  std::cerr << "wasmtime: " << std::string_view(text.data, text.size) << "\n";
  std::exit(1);
}

wasm_engine_t* make_engine() {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_strategy_set(config, mode == "winch" ? WASMTIME_STRATEGY_WINCH : WASMTIME_STRATEGY_CRANELIFT);
  if (mode == "pulley") check(wasmtime_config_target_set(config, "pulley64"));
  if (mode != "winch") wasmtime_config_wasm_function_references_set(config, true);
  return wasm_engine_new_with_config(config);
}

// An engine, a store and a linker; they live as long as the process, as each benchmark makes few.
struct World {
  wasm_engine_t* engine = make_engine();
  wasmtime_store_t* store = wasmtime_store_new(engine, nullptr, nullptr);
  wasmtime_context_t* context = wasmtime_store_context(store);
  wasmtime_linker_t* linker = wasmtime_linker_new(engine);
  wasmtime_memory_t memory{};

  // False where this mode does not have what the module needs.
  bool instantiate(std::string_view text, wasmtime_instance_t& instance) {
    wasm_byte_vec_t bytes;
    check(wasmtime_wat2wasm(text.data(), text.size(), &bytes));
    wasmtime_module_t* module = nullptr;
    if (wasmtime_module_new(engine, reinterpret_cast<const std::uint8_t*>(bytes.data), bytes.size, &module) !=
        nullptr) {
      return false;
    }
    wasm_trap_t* trap = nullptr;
    wasmtime_error_t* error = wasmtime_linker_instantiate(linker, context, module, &instance, &trap);
    check(error, trap);
    return true;
  }

  wasmtime_extern_t get(const wasmtime_instance_t& instance, std::string_view name) {
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(context, &instance, name.data(), name.size(), &item)) {
      std::cerr << "wasmtime: no export " << name << "\n";
      std::exit(1);
    }
    return item;
  }
};

// From the host into Wasm.

template <std::size_t kCount>
void host_to_wasm(benchmark::State& state, const char* name, std::array<wasmtime_val_raw_t, kCount> values) {
  World world;
  wasmtime_instance_t instance;
  world.instantiate(kCallees, instance);
  const wasmtime_func_t function = world.get(instance, name).of.func;
  wasm_trap_t* trap = nullptr;
  for (auto _ : state) {
    // Results are left where the first argument was: it is the next call's.
    wasmtime_error_t* error = wasmtime_func_call_unchecked(world.context, &function, values.data(), kCount, &trap);
    if (error != nullptr || trap != nullptr) check(error, trap);
  }
}
BENCHMARK_CAPTURE(host_to_wasm, nop, "nop", (std::array<wasmtime_val_raw_t, 1>{}))->Name("host_to_wasm/nop");
BENCHMARK_CAPTURE(host_to_wasm, add_i32, "add_i32", (std::array<wasmtime_val_raw_t, 2>{{{.i32 = 0}, {.i32 = 1}}}))
    ->Name("host_to_wasm/add_i32");
BENCHMARK_CAPTURE(host_to_wasm, add_f64, "add_f64", (std::array<wasmtime_val_raw_t, 2>{{{.f64 = 0}, {.f64 = 1}}}))
    ->Name("host_to_wasm/add_f64");
BENCHMARK_CAPTURE(host_to_wasm, ten_i64, "ten_i64", (std::array<wasmtime_val_raw_t, 10>{}))
    ->Name("host_to_wasm/ten_i64");

void host_to_wasm_untyped(benchmark::State& state) {
  World world;
  wasmtime_instance_t instance;
  world.instantiate(kCallees, instance);
  const wasmtime_func_t function = world.get(instance, "add_i32").of.func;
  std::array<wasmtime_val_t, 2> args{};
  args[0] = {.kind = WASM_I32, .of = {.i32 = 1}};
  args[1] = {.kind = WASM_I32, .of = {.i32 = 2}};
  wasmtime_val_t result{};
  wasm_trap_t* trap = nullptr;
  for (auto _ : state) {
    wasmtime_error_t* error = wasmtime_func_call(world.context, &function, args.data(), 2, &result, 1, &trap);
    if (error != nullptr || trap != nullptr) check(error, trap);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(host_to_wasm_untyped)->Name("host_to_wasm/untyped_add_i32");

void host_to_wasm_trap(benchmark::State& state) {
  World world;
  wasmtime_instance_t instance;
  world.instantiate(kCallees, instance);
  const wasmtime_func_t function = world.get(instance, "trap").of.func;
  for (auto _ : state) {
    wasm_trap_t* trap = nullptr;
    check(wasmtime_func_call_unchecked(world.context, &function, nullptr, 0, &trap));
    if (trap == nullptr) state.SkipWithError("it did not trap");
    wasm_trap_delete(trap);
  }
}
BENCHMARK(host_to_wasm_trap)->Name("host_to_wasm/trap");

// From Wasm to the host and to other functions.

wasm_trap_t* nop(void*, wasmtime_caller_t*, wasmtime_val_raw_t*, std::size_t) { return nullptr; }

wasm_trap_t* add_i32(void*, wasmtime_caller_t*, wasmtime_val_raw_t* values, std::size_t) {
  values[0].i32 += values[1].i32;
  return nullptr;
}

wasm_trap_t* add_f64(void*, wasmtime_caller_t*, wasmtime_val_raw_t* values, std::size_t) {
  values[0].f64 += values[1].f64;
  return nullptr;
}

wasm_trap_t* read(void* world, wasmtime_caller_t* caller, wasmtime_val_raw_t* values, std::size_t) {
  const wasmtime_memory_t& memory = static_cast<World*>(world)->memory;
  wasmtime_context_t* context = wasmtime_caller_context(caller);
  const auto address = static_cast<std::uint32_t>(values[0].i32);
  std::int32_t value = 0;
  if (address + std::uint64_t{4} <= wasmtime_memory_data_size(context, &memory)) {
    std::memcpy(&value, wasmtime_memory_data(context, &memory) + address, 4);
  }
  values[0].i32 = value;
  return nullptr;
}

wasm_trap_t* untyped(void*, wasmtime_caller_t*, const wasmtime_val_t* args, std::size_t, wasmtime_val_t* results,
                     std::size_t) {
  results[0].kind = WASM_I32;
  results[0].of.i32 = args[0].of.i32 + args[1].of.i32;
  return nullptr;
}

wasm_valtype_vec_t types(const std::vector<std::uint8_t>& kinds) {
  std::vector<wasm_valtype_t*> made;
  for (const std::uint8_t kind : kinds) made.push_back(wasm_valtype_new(kind));
  wasm_valtype_vec_t all;
  wasm_valtype_vec_new(&all, made.size(), made.data());
  return all;
}

wasm_functype_t* type(const std::vector<std::uint8_t>& params, const std::vector<std::uint8_t>& results) {
  wasm_valtype_vec_t of_params = types(params);
  wasm_valtype_vec_t of_results = types(results);
  return wasm_functype_new(&of_params, &of_results);
}

void define_host(World& world) {
  const auto define = [&world](std::string_view name, wasm_functype_t* of,
                               wasmtime_func_unchecked_callback_t function) {
    check(wasmtime_linker_define_func_unchecked(world.linker, "host", 4, name.data(), name.size(), of, function, &world,
                                                nullptr));
  };
  define("nop", type({}, {}), nop);
  define("add_i32", type({WASM_I32, WASM_I32}, {WASM_I32}), add_i32);
  define("add_f64", type({WASM_F64, WASM_F64}, {WASM_F64}), add_f64);
  define("read", type({WASM_I32}, {WASM_I32}), read);
  check(wasmtime_linker_define_func(world.linker, "host", 4, "untyped", 7, type({WASM_I32, WASM_I32}, {WASM_I32}),
                                    untyped, nullptr, nullptr));
}

void loop(benchmark::State& state, std::string_view text, const char* name) {
  World world;
  define_host(world);
  // Streams that are not inherited swallow everything within the process.
  wasi_config_t* wasi = wasi_config_new();
  const char* args[] = {"crossing"};
  wasi_config_set_argv(wasi, 1, args);
  check(wasmtime_context_set_wasi(world.context, wasi));
  check(wasmtime_linker_define_wasi(world.linker));
  wasmtime_instance_t other;
  world.instantiate(kOther, other);
  check(wasmtime_linker_define_instance(world.linker, world.context, "other", 5, &other));
  wasmtime_instance_t instance;
  if (!world.instantiate(text, instance)) {
    state.SkipWithError("this mode does not have what the module needs");
    return;
  }
  if (text == kLoops) world.memory = world.get(instance, "memory").of.memory;
  const wasmtime_func_t function = world.get(instance, name).of.func;
  constexpr std::int32_t kBatch = 1000;
  while (state.KeepRunningBatch(kBatch)) {
    wasmtime_val_raw_t count{.i32 = kBatch};
    wasm_trap_t* trap = nullptr;
    wasmtime_error_t* error = wasmtime_func_call_unchecked(world.context, &function, &count, 1, &trap);
    check(error, trap);
  }
}
#define CROSSING_LOOP(id, text, name) BENCHMARK_CAPTURE(loop, id, text, name)->Name(name);
#include "bench/micro/crossing_loops.def"
#undef CROSSING_LOOP

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kOption = "--mode=";
  std::vector<char*> words;
  for (int i = 0; i < argc; i++) {
    if (std::string_view(argv[i]).starts_with(kOption)) {
      mode = std::string_view(argv[i]).substr(kOption.size());
    } else {
      words.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  if (benchmark::ReportUnrecognizedArguments(count, words.data())) return 2;
  benchmark::AddCustomContext("mode", mode);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
