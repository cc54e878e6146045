// An error of the host's goes through two guests and comes out as it was thrown.
#include "need.h"

#include <exception>
#include <stdexcept>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "next" (func $next (param i32)))
  (func (export "run") (param i32) (call $next (local.get 0))))
)wat";

struct NotFound : std::runtime_error {
  explicit NotFound(int number) : runtime_error("no entry " + std::to_string(number)), number(number) {}
  int number;
};

// What a program without exceptions returns instead.
struct Denied {
  int user;
};

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);

  wasi::Linker inner_linker(engine);
  inner_linker.define("host", "next", [](std::int32_t entry) -> std::expected<void, wasi::Trap> {
    if (entry > 9) throw NotFound(entry);
    if (entry > 4) return std::unexpected(wasi::Trap::host_error("denied", Denied{entry * 100}));
    return {};
  });
  const wasi::Instance inner = need(inner_linker.instantiate(store, module));
  const auto run_inner = need(inner.function<void(std::int32_t)>("run"));

  // The outer guest calls the host, which calls the inner guest and hands on what that says.
  const auto next = need(wasi::Function::create(store, [&run_inner](std::int32_t entry) { return run_inner(entry); }));
  wasi::Linker outer_linker(engine);
  outer_linker.define("host", "next", next);
  const wasi::Instance outer = need(outer_linker.instantiate(store, module));
  const auto run = need(outer.function<void(std::int32_t)>("run"));

  need(run(1));
  std::printf("1: found\n");
  const auto denied = run(5);
  if (denied) fail("5 is denied");
  const auto* const why = denied.error().payload_as<Denied>();
  std::printf("5: %s, user %d\n", denied.error().message.c_str(), why == nullptr ? -1 : why->user);

  const auto thrown = run(12);
  if (thrown) fail("there is no such entry");
  std::printf("12: %s\n", thrown.error().message.c_str());
  try {
    std::rethrow_exception(thrown.error().host_exception());
  } catch (const NotFound& error) {
    std::printf("caught: %s (%d)\n", error.what(), error.number);
  }
}
