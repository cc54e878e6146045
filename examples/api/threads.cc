// Instances on four threads, each in a store of its own, that share one memory.
#include "need.h"

#include <array>
#include <thread>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "memory" (memory 1 1 shared))
  (func (export "count") (param $times i32)
    (loop $next
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  ;; Waits until all have counted, for as long as it takes.
  (func (export "wait_for") (param $sum i32) (local $seen i32)
    (loop $again
      (local.set $seen (i32.atomic.load (i32.const 0)))
      (if (i32.ne (local.get $seen) (local.get $sum))
        (then
          (drop (memory.atomic.wait32 (i32.const 0) (local.get $seen) (i64.const 1000000)))
          (br $again))))))
)wat";

constexpr std::uint32_t kTimes = 50000;

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  const auto memory = need(wasi::SharedMemory::create(engine, {.limits = {.min = 1, .max = 1}, .is_shared = true}));
  wasi::Linker linker(engine);
  linker.define("host", "memory", memory);

  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      wasi::Store store(engine);
      const wasi::Instance instance = need(linker.instantiate(store, module));
      const auto count = need(instance.function<void(std::uint32_t)>("count"));
      need(count(kTimes));
    });
  }
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto wait_for = need(instance.function<void(std::uint32_t)>("wait_for"));
  need(wait_for(4 * kTimes));
  for (std::thread& thread : threads) thread.join();

  const wasi::Memory seen = need(memory.in(store));
  std::printf("counted to %u\n", need(seen.read<std::uint32_t>(0), "there is a page"));
}
