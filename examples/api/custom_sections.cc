// What tools leave in a module for others: the contents of its custom sections.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module $plugin
  (@custom "author" "Ada")
  (@custom "author" "Grace")
  (@custom "interface" "v2")
  (func (export "run")))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  std::printf("module %s\n", module.name().c_str());
  for (const char* const name : {"author", "interface", "licence"}) {
    const auto sections = need(module.custom_sections(name));
    std::printf("%s: %zu\n", name, sections.size());
    for (const auto section : sections) {
      std::printf("  %.*s\n", static_cast<int>(section.size()), reinterpret_cast<const char*>(section.data()));
    }
  }
}
