// What a linker has: listed, looked up, and never replaced in silence.
#include "need.h"

int main() {
  wasi::Engine engine;
  wasi::Store store(engine);
  wasi::Linker linker(engine);
  linker.define("math", "half", [](double x) { return x / 2; });
  linker.define("math", "add", [](std::int32_t a, std::int32_t b) { return a + b; });
  linker.define("log", "flush", [] {});
  for (const wasi::Definition& definition : linker.definitions()) {
    std::printf("%s.%s: %s\n", definition.module.c_str(), definition.name.c_str(),
                definition.type ? definition.type->to_string().c_str() : "gone");
  }

  const auto call_add = [&](const wasi::Linker& from) {
    const wasi::Extern found = need(from.get(store, "math", "add"));
    const wasi::Function function = need(found.function(), "it is a function");
    return need(function.call({20, 4})).at(0).to_string();
  };
  std::printf("add: %s\n", call_add(linker).c_str());
  std::printf("sub: %s\n", linker.get(store, "math", "sub") ? "there" : "not there");

  linker.allow_redefinition(true).define("math", "add", [](std::int32_t a, std::int32_t b) { return a * b; });
  std::printf("replaced on purpose: %s\n", call_add(linker).c_str());

  // A name that is given twice by mistake is told by whatever is done next.
  linker.allow_redefinition(false).define("math", "half", [](double x) { return x; });
  if (linker.error() == nullptr) fail("there is one already");
  std::printf("defined twice: %s error\n", std::string(wasi::name_of(linker.error()->kind)).c_str());
  std::printf("and then nothing is found: %s\n", linker.get(store, "math", "add") ? "no" : "yes");
}
