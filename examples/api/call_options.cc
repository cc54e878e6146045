// A deadline and fuel for one call, whatever holds for the store otherwise.
#include "need.h"

#include <chrono>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (func (export "run") (loop $for_ever (br $for_ever)))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
)wat";

}  // namespace

int main() {
  using namespace std::chrono_literals;
  const wasi::Engine engine = need(wasi::Engine::create({.fuel = true}));
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto run = need(instance.function<void()>("run"));
  const auto add = need(instance.function<std::int32_t(std::int32_t, std::int32_t)>("add"));
  need(store.set_fuel(500));

  const auto late = run.call({.deadline = std::chrono::steady_clock::now() + 20ms, .fuel = UINT64_MAX});
  if (late) fail("it runs for ever");
  std::printf("with 20 ms: %s\n", late.error().message.c_str());

  std::uint64_t left = 0;
  std::printf("1 + 2 = %d, ", need(add.call({.fuel = 100, .fuel_left = &left}, 1, 2)));
  std::printf("%llu of 100 left\n", static_cast<unsigned long long>(left));
  const auto dry = run.call({.fuel = 100, .fuel_left = &left});
  if (dry) fail("it runs for ever");
  std::printf("with 100 units: %s, %llu left\n", dry.error().message.c_str(), static_cast<unsigned long long>(left));

  std::printf("the store's own: %llu\n", static_cast<unsigned long long>(need(store.fuel())));
  std::printf("3 + 4 = %d\n", need(add(3, 4)));
}
