// The crossing benchmarks of bench/micro in wasm3, through its C API: the same modules under the same names, without
// those that import tables or use references, which it does not have, and those that write to a standard stream, which
// it cannot redirect. wat2wasm of wabt makes the modules: wasm3 reads no text.
extern "C" {
#include <m3_api_wasi.h>
#include <wasm3.h>
}

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/crossing_modules.h"

namespace {

using namespace wasi::bench;

void check(M3Result result) {
  if (result == m3Err_none) return;
  std::cerr << "wasm3: " << result << "\n";
  std::exit(1);
}

using Bytes = std::vector<std::uint8_t>;

Bytes binary_of(std::string_view text) {
  std::string folder = (std::filesystem::temp_directory_path() / "wasm3-crossing-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::cerr << "wasm3: no folder for temporary files\n";
    std::exit(1);
  }
  std::ofstream(folder + "/module.wat") << text;
  const bool is_made = std::system(("cd " + folder + " && wat2wasm module.wat").c_str()) == 0;
  std::ifstream file(folder + "/module.wasm", std::ios::binary);
  Bytes bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove_all(folder);
  if (!is_made) std::exit(1);
  return bytes;
}

m3ApiRawFunction(nop) { m3ApiSuccess(); }

m3ApiRawFunction(add_i32) {
  m3ApiReturnType(int32_t);
  m3ApiGetArg(int32_t, a);
  m3ApiGetArg(int32_t, b);
  m3ApiReturn(a + b);
}

m3ApiRawFunction(add_f64) {
  m3ApiReturnType(double);
  m3ApiGetArg(double, a);
  m3ApiGetArg(double, b);
  m3ApiReturn(a + b);
}

m3ApiRawFunction(read_memory) {
  m3ApiReturnType(int32_t);
  m3ApiGetArgMem(const void*, address);
  m3ApiCheckMem(address, 4);
  int32_t value = 0;
  std::memcpy(&value, address, 4);
  m3ApiReturn(value);
}

// Everything lives as long as the process, as there are few.
IM3Function function_of(std::string_view text, const char* name) {
  static const Bytes callees = binary_of(kCallees);
  static const Bytes loops = binary_of(kLoops);
  const Bytes& bytes = text == kCallees ? callees : loops;
  IM3Environment environment = m3_NewEnvironment();
  IM3Runtime runtime = m3_NewRuntime(environment, 64 << 10, nullptr);
  IM3Module module = nullptr;
  check(m3_ParseModule(environment, &module, bytes.data(), static_cast<uint32_t>(bytes.size())));
  check(m3_LoadModule(runtime, module));
  if (text == kLoops) {
    check(m3_LinkWASI(module));
    check(m3_LinkRawFunction(module, "host", "nop", "v()", nop));
    check(m3_LinkRawFunction(module, "host", "add_i32", "i(ii)", add_i32));
    check(m3_LinkRawFunction(module, "host", "untyped", "i(ii)", add_i32));
    check(m3_LinkRawFunction(module, "host", "add_f64", "F(FF)", add_f64));
    check(m3_LinkRawFunction(module, "host", "read", "i(i)", read_memory));
  }
  IM3Function function = nullptr;
  check(m3_FindFunction(&function, runtime, name));
  return function;
}

// wasm3 has one way to call: arguments and results by their addresses.
template <class T, std::size_t kCount>
void host_to_wasm(benchmark::State& state, const char* name) {
  IM3Function function = function_of(kCallees, name);
  std::array<T, kCount> values{};
  std::array<const void*, kCount> args{};
  for (std::size_t i = 0; i < kCount; i++) {
    values[i] = static_cast<T>(i);
    args[i] = &values[i];
  }
  T sum{};
  const void* result = &sum;
  for (auto _ : state) {
    check(m3_Call(function, kCount, kCount == 0 ? nullptr : args.data()));
    if constexpr (kCount != 0) check(m3_GetResults(function, 1, &result));
  }
}
void host_to_wasm_nop(benchmark::State& state) { host_to_wasm<std::int32_t, 0>(state, "nop"); }
BENCHMARK(host_to_wasm_nop)->Name("host_to_wasm/nop");
void host_to_wasm_add_i32(benchmark::State& state) { host_to_wasm<std::int32_t, 2>(state, "add_i32"); }
BENCHMARK(host_to_wasm_add_i32)->Name("host_to_wasm/add_i32");
void host_to_wasm_add_f64(benchmark::State& state) { host_to_wasm<double, 2>(state, "add_f64"); }
BENCHMARK(host_to_wasm_add_f64)->Name("host_to_wasm/add_f64");
void host_to_wasm_ten_i64(benchmark::State& state) { host_to_wasm<std::int64_t, 10>(state, "ten_i64"); }
BENCHMARK(host_to_wasm_ten_i64)->Name("host_to_wasm/ten_i64");

void host_to_wasm_trap(benchmark::State& state) {
  IM3Function function = function_of(kCallees, "trap");
  for (auto _ : state) {
    if (m3_Call(function, 0, nullptr) == m3Err_none) state.SkipWithError("it did not trap");
  }
}
BENCHMARK(host_to_wasm_trap)->Name("host_to_wasm/trap");

void loop(benchmark::State& state, const char* name) {
  IM3Function function = function_of(kLoops, name);
  constexpr std::int32_t kBatch = 1000;
  const std::int32_t count = kBatch;
  const void* args[] = {&count};
  while (state.KeepRunningBatch(kBatch)) check(m3_Call(function, 1, args));
}
BENCHMARK_CAPTURE(loop, empty, "loop/empty")->Name("loop/empty");
BENCHMARK_CAPTURE(loop, direct, "wasm_to_wasm/direct")->Name("wasm_to_wasm/direct");
BENCHMARK_CAPTURE(loop, same_module, "indirect/same_module")->Name("indirect/same_module");
BENCHMARK_CAPTURE(loop, nop, "wasm_to_host/nop")->Name("wasm_to_host/nop");
BENCHMARK_CAPTURE(loop, add_i32, "wasm_to_host/add_i32")->Name("wasm_to_host/add_i32");
BENCHMARK_CAPTURE(loop, add_f64, "wasm_to_host/add_f64")->Name("wasm_to_host/add_f64");
BENCHMARK_CAPTURE(loop, memory_read, "wasm_to_host/memory_read")->Name("wasm_to_host/memory_read");
BENCHMARK_CAPTURE(loop, clock_time_get, "wasi/clock_time_get")->Name("wasi/clock_time_get");
BENCHMARK_CAPTURE(loop, random_get, "wasi/random_get")->Name("wasi/random_get");
BENCHMARK_CAPTURE(loop, sched_yield, "wasi/sched_yield")->Name("wasi/sched_yield");
BENCHMARK_CAPTURE(loop, args_sizes_get, "wasi/args_sizes_get")->Name("wasi/args_sizes_get");
BENCHMARK_CAPTURE(loop, fd_fdstat_get, "wasi/fd_fdstat_get")->Name("wasi/fd_fdstat_get");

}  // namespace

BENCHMARK_MAIN();
