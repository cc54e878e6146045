// A reactor: a WASI library that is initialised once and called as often as one likes.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (global $next (mut i32) (i32.const -1000))
  (func (export "_initialize") (global.set $next (i32.const 100)))
  (func (export "ticket") (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (i32.const 1)))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define_wasi({});
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));
  need(instance.initialize());

  const auto ticket = need(instance.function<std::int32_t()>("ticket"));
  std::printf("%d\n", need(ticket()));
  std::printf("%d\n", need(ticket()));

  // It is no command.
  const auto run = instance.run();
  if (run) fail("there is no _start");
  std::printf("run: %s\n", run.error().code == wasi::TrapCode::host_error ? "not a command" : "something else");
}
