// A guest calls a function of the host, which reads text from the guest's memory.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "print" (func $print (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello, world!")
  (func (export "run") (call $print (i32.const 16) (i32.const 13)))
  (func (export "run_away") (call $print (i32.const 65535) (i32.const 13))))
)wat";

// The guest may say anything: what lies outside of its memory stops it.
std::expected<void, wasi::Trap> print(wasi::Caller& caller, std::uint32_t address, std::uint32_t size) {
  const auto text = caller.memory().text(address, size);
  if (!text) return std::unexpected(wasi::Trap::host_error("there is no such text"));
  std::printf("%.*s\n", static_cast<int>(text->size()), text->data());
  return {};
}

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define("host", "print", &print);

  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto run = need(instance.function<void()>("run"));
  need(run());

  const auto run_away = need(instance.function<void()>("run_away"));
  const auto stopped = run_away();
  if (stopped) fail("the text should be outside of the memory");
  std::printf("stopped: %s\n", stopped.error().message.c_str());
}
