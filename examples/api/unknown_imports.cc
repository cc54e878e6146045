// A module that imports what nobody has: refused, or run for as long as it does not call it.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "gpu" "draw" (func $draw (param i32) (result i32)))
  (func (export "plain") (result i32) (i32.const 6))
  (func (export "pretty") (result i32) (call $draw (i32.const 6))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  wasi::Linker linker(engine);
  const auto refused = linker.instantiate(store, module);
  if (refused || refused.error().error() == nullptr) fail("an import is missing");
  std::printf("by default: %s\n", std::string(wasi::name_of(refused.error().error()->kind)).c_str());

  for (const auto& [name, choice] :
       {std::pair("trap", wasi::UnknownImports::trap), std::pair("zero", wasi::UnknownImports::zero)}) {
    linker.unknown_imports(choice);
    const wasi::Instance instance = need(linker.instantiate(store, module));
    std::printf("%s: plain %d\n", name, need(need(instance.function<std::int32_t()>("plain"))()));
    const auto pretty = need(instance.function<std::int32_t()>("pretty"))();
    if (pretty) {
      std::printf("%s: pretty %d\n", name, *pretty);
    } else {
      std::printf("%s: pretty: %s\n", name, std::string(wasi::message_of(pretty.error().code)).c_str());
    }
  }
}
