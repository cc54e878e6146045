// Exceptions of Wasm: the host throws what the guest catches, and looks into what nobody caught.
#include "need.h"

#include <array>
#include <vector>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "error" (tag $error (param i32)))
  (import "host" "read" (func $read (param i32) (result i32)))
  ;; What was read, or the negative number that was thrown.
  (func (export "careful") (param i32) (result i32)
    (block $caught (result i32)
      (return (try_table (result i32) (catch $error $caught) (call $read (local.get 0)))))
    (i32.mul (i32.const -1)))
  (func (export "careless") (param i32) (result i32) (call $read (local.get 0))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  wasi::Store store(engine);
  const std::array types{wasi::ValueType::i32()};
  const wasi::Tag error = need(wasi::Tag::create(store, types));
  wasi::Linker linker(engine);
  linker.define("host", "error", error);
  linker.define("host", "read", [error](std::int32_t descriptor) -> std::expected<std::int32_t, wasi::Trap> {
    if (descriptor == 0) return 1000;
    const std::array values{wasi::Value(descriptor)};
    return std::unexpected(need(wasi::Exception::create(error, values)).to_trap());
  });
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  const wasi::Instance instance = need(linker.instantiate(store, module));
  const auto careful = need(instance.function<std::int32_t(std::int32_t)>("careful"));
  const auto careless = need(instance.function<std::int32_t(std::int32_t)>("careless"));

  std::printf("careful: %d, %d\n", need(careful(0)), need(careful(9)));
  std::printf("careless: %d\n", need(careless(0)));
  const auto uncaught = careless(9);
  if (uncaught) fail("nobody catches it");
  const auto exception = need(wasi::Exception::from_trap(store, uncaught.error()), "it was thrown");
  std::printf("%s, of our tag: %s, with %s\n", std::string(wasi::message_of(uncaught.error().code)).c_str(),
              exception.tag() == error ? "yes" : "no", exception.values().at(0).to_string().c_str());
}
