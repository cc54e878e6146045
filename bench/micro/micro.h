// What the micro benchmarks share: an engine as the command line wants it, modules from text, and loud failures.
#pragma once

#include <benchmark/benchmark.h>
#include <wasi/wasi.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace wasi::bench {

// Takes our options out of the command line, registers nothing: --tier=auto|interp|baseline,
// --bounds-checks=guard|explicit. The rest is Google Benchmark's. Returns main's exit code.
int run(int argc, char** argv);

// With the options of the command line.
EngineConfig engine_config();
Engine make_engine();

// The value, or the end of the program with the error's text.
template <class T>
decltype(auto) must(T&& result) {
  if (!result) {
    std::cerr << "benchmark: " << result.error().to_string() << "\n";
    std::exit(1);
  }
  return *std::forward<T>(result);
}

inline Module module_of(const Engine& engine, std::string_view text) {
  return must(Module::from_bytes(engine, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
}

// Resident memory of this process in bytes.
std::uint64_t resident_bytes();

}  // namespace wasi::bench
