// Two modules: one imports the functions and the memory that the other exports.
#include "need.h"

namespace {

constexpr const char* kLibrary = R"wat(
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 8))
  ;; Memory of so many bytes, which nobody else has.
  (func (export "allocate") (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size)))))
)wat";

constexpr const char* kProgram = R"wat(
(module
  (import "library" "memory" (memory 1))
  (import "library" "allocate" (func $allocate (param i32) (result i32)))
  (data $greeting "linked")
  (func (export "greeting") (result i32) (local $at i32)
    (local.set $at (call $allocate (i32.const 6)))
    (memory.init $greeting (local.get $at) (i32.const 0) (i32.const 6))
    (local.get $at)))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  wasi::Store store(engine);
  wasi::Linker linker(engine);

  const wasi::Module program = need(wasi::Module::from_text(engine, kProgram));
  if (linker.instantiate(store, program)) fail("the library is not there yet");
  std::printf("alone it cannot be linked\n");

  const wasi::Module library = need(wasi::Module::from_text(engine, kLibrary));
  const wasi::Instance first = need(linker.instantiate(store, library));
  linker.define_instance("library", first);
  const wasi::Instance second = need(linker.instantiate(store, program));

  const wasi::Memory memory = need(first.memory("memory"));
  const auto greeting = need(second.function<std::uint32_t()>("greeting"));
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t at = need(greeting());
    std::printf("%u: %s\n", at, std::string(need(memory.text(at, 6), "it is inside")).c_str());
  }
}
