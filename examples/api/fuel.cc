// What a guest may execute is counted, and the count is the same on every machine and in every tier.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "run") (loop $for_ever (br $for_ever))))
)wat";

}  // namespace

int main() {
  const wasi::Engine engine = need(wasi::Engine::create({.fuel = true}));
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto add = need(instance.function<std::int32_t(std::int32_t, std::int32_t)>("add"));
  const auto run = need(instance.function<void()>("run"));

  // A new store has none.
  const auto refused = add(1, 2);
  if (refused) fail("there is no fuel yet");
  std::printf("without: %s\n", refused.error().message.c_str());

  need(store.set_fuel(10'000));
  std::printf("1 + 2 = %d\n", need(add(1, 2)));
  // Three instructions, and the end of the function.
  std::printf("took %llu\n", static_cast<unsigned long long>(10'000 - need(store.fuel())));

  const auto ended = run();
  if (ended) fail("it runs for ever");
  std::printf("for ever: %s, %llu left\n", ended.error().message.c_str(),
              static_cast<unsigned long long>(need(store.fuel())));
  need(store.set_fuel(4));
  std::printf("refuelled: 3 + 4 = %d\n", need(add(3, 4)));
}
