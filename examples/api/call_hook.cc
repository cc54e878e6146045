// A tracer: every call between host and guest is told, in both directions.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "price" (func $price (param i32) (result i32)))
  (func (export "total") (param $item i32) (param $count i32) (result i32)
    (i32.mul (call $price (local.get $item)) (local.get $count))))
)wat";

class Tracer {
 public:
  void operator()(const wasi::CallEvent& event) {
    using Kind = wasi::CallEvent::Kind;
    const bool enters = event.kind == Kind::enters_guest || event.kind == Kind::enters_host;
    const bool guest = event.kind == Kind::enters_guest || event.kind == Kind::leaves_guest;
    if (!enters) --depth_;
    std::printf("%*s%s %s %s%s\n", 2 * depth_, "", enters ? "->" : "<-", guest ? "guest" : "host", event.name().c_str(),
                event.failed ? ", failed" : "");
    if (enters) ++depth_;
  }

 private:
  int depth_ = 0;
};

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define("host", "price", [](std::int32_t item) -> std::expected<std::int32_t, wasi::Trap> {
    if (item != 1) return std::unexpected(wasi::Trap::host_error("nobody sells that"));
    return 250;
  });
  wasi::Store store(engine, {.call_hook = Tracer()});
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto total = need(instance.function<std::int32_t(std::int32_t, std::int32_t)>("total"));
  std::printf("%d\n", need(total(1, 3)));
  const auto failed = total(2, 3);
  if (failed) fail("there is one item only");
  std::printf("%s\n", failed.error().message.c_str());
}
