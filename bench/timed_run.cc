// bench-run MODULE REPORT [explicit]: runs a benchmark module in the current folder and writes what it
// measured to the file REPORT as "name value" lines. It is an embedder like any other: the public API alone.
//
// Modules of the sightglass suite call bench.start and bench.end around what is to be timed; CoreMark's smallest
// build imports env.clock_ms and returns its score from `run`.
#include <wasi/wasi.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

struct Times {
  Clock::time_point start;
  Clock::duration between{};
};

int fail(const std::string& message) {
  std::cerr << "bench-run: " << message << "\n";
  return 1;
}

int run(const char* path, const char* report_path, wasi::BoundsChecks checks) {
  auto engine = wasi::Engine::create({.bounds_checks = checks});
  if (!engine) return fail(engine.error().to_string());
  auto module = wasi::Module::from_file(*engine, path);
  if (!module) return fail(module.error().to_string());

  Times times;
  wasi::Store store(*engine);
  wasi::Linker linker(*engine);
  linker.define("bench", "start", [&times] { times.start = Clock::now(); });
  linker.define("bench", "end", [&times] { times.between += Clock::now() - times.start; });
  linker.define("env", "clock_ms", [] {
    return std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()};
  });
  linker.define_wasi(wasi::WasiConfig().args({path}).preopen(".", ".").inherit_stdio());
  auto instance = linker.instantiate(store, *module);
  if (!instance) return fail(instance.error().to_string());

  std::ofstream report(report_path);
  const auto before = Clock::now();
  int code = 0;
  if (auto score = instance->function<float()>("run")) {
    const auto value = (*score)();
    if (!value) return fail(value.error().to_string());
    report << "score " << *value << "\n";
  } else {
    auto start = instance->function<void()>("_start");
    if (!start) return fail(start.error().to_string());
    if (const auto done = (*start)(); !done) {
      if (!done.error().is_exit()) return fail(done.error().to_string());
      code = done.error().exit_status;
    }
  }
  const auto nanoseconds = [](Clock::duration time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  };
  report << "total_ns " << nanoseconds(Clock::now() - before) << "\n";
  report << "timed_ns " << nanoseconds(times.between) << "\n";
  const wasi::TierMetrics metrics = engine->metrics();
  report << "translate_ns " << metrics.translate.time.count() << "\n";
  report << "translated_bytes " << metrics.translate.bytes << "\n";
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: bench-run MODULE REPORT [explicit]");
  const bool is_explicit = argc > 3 && std::string_view(argv[3]) == "explicit";
  return run(argv[1], argv[2], is_explicit ? wasi::BoundsChecks::explicit_checks : wasi::BoundsChecks::guard_pages);
}
