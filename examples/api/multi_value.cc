// Functions with several results, of the guest and of the host, are std::tuples here.
#include "need.h"

#include <tuple>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "divide" (func $divide (param i32 i32) (result i32 i32)))
  (func (export "swap") (param i32 i64) (result i64 i32)
    (local.get 1) (local.get 0))
  ;; Both results of the host's function, added.
  (func (export "digits") (param i32) (result i32)
    (i32.add (call $divide (local.get 0) (i32.const 10)))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define("host", "divide", [](std::int32_t a, std::int32_t b) { return std::tuple(a / b, a % b); });
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));

  const auto swap = need(instance.function<std::tuple<std::int64_t, std::int32_t>(std::int32_t, std::int64_t)>("swap"));
  const auto [first, second] = need(swap(1, 1LL << 40));
  std::printf("swap: %lld, %d\n", static_cast<long long>(first), second);

  const auto digits = need(instance.function<std::int32_t(std::int32_t)>("digits"));
  std::printf("digits of 47: %d\n", need(digits(47)));

  // The same without types at compile time.
  for (const wasi::Value& value : need(need(instance.func("swap")).call({7, std::int64_t{8}}))) {
    std::printf("%s %s\n", value.type().to_string().c_str(), value.to_string().c_str());
  }
}
