// Clocks, sleep and randomness of the host's choice: a run that is the same each time, and takes no time.
#include "need.h"

#include <algorithm>
#include <span>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "now") (result i64)
    (if (call $clock (i32.const 0) (i64.const 1) (i32.const 0)) (then unreachable))
    (i64.load (i32.const 0)))
  (func (export "random") (result i64)
    (if (call $random (i32.const 8) (i32.const 8)) (then unreachable))
    (i64.load (i32.const 8)))
  ;; One subscription of 48 bytes, to the monotonic clock.
  (func (export "sleep") (param $nanoseconds i64)
    (memory.fill (i32.const 64) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (local.get $nanoseconds))
    (if (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 60)) (then unreachable))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  std::uint64_t now = 1'000'000'000'000'000'000;
  const auto clock = [&now] { return now; };
  wasi::WasiConfig config;
  config.time({.realtime = clock, .monotonic = clock, .sleep = [&now](std::uint64_t time) { now += time; }})
      .random_seed(2024);
  const auto run = [&](const wasi::WasiConfig& with) {
    wasi::Linker linker(engine);
    linker.define_wasi(with);
    wasi::Store store(engine);
    const wasi::Instance instance = need(linker.instantiate(store, module));
    const auto get = [&](const char* name) { return need(need(instance.function<std::uint64_t()>(name))()); };
    std::printf("now %llu\n", static_cast<unsigned long long>(get("now")));
    need(need(instance.function<void(std::uint64_t)>("sleep"))(3'600'000'000'000));
    std::printf("an hour later %llu\n", static_cast<unsigned long long>(get("now")));
    return get("random");
  };
  const std::uint64_t first = run(config);
  const std::uint64_t second = run(config);
  std::printf("the same seed: %s\n", first == second ? "the same numbers" : "other numbers");
  std::printf("another seed: %s\n", run(config.random_seed(2025)) == first ? "the same numbers" : "other numbers");
  config.random([](std::span<std::uint8_t> bytes) { std::ranges::fill(bytes, 7); });
  std::printf("bytes of our own: %llx\n", static_cast<unsigned long long>(run(config)));
}
