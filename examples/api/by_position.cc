// Instantiation without names: one object for each import, in the module's order.
#include "need.h"

#include <vector>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "" "" (func $scale (param i64) (result i64)))
  (import "" "" (global $offset (mut i64)))
  (func (export "compute") (param i64) (result i64)
    (i64.add (call $scale (local.get 0)) (global.get $offset))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  for (const wasi::ImportType& import : module.imports()) std::printf("wants a %s\n", import.type.to_string().c_str());

  wasi::Store store(engine);
  const auto scale = need(wasi::Function::create(store, [](std::int64_t x) { return x * 10; }));
  const auto offset =
      need(wasi::Global::create(store, {.type = wasi::ValueType::i64(), .is_mutable = true}, std::int64_t{7}));
  const std::vector<wasi::Extern> imports{scale, offset};
  const wasi::Instance instance = need(wasi::Instance::create(store, module, imports));
  const auto compute = need(instance.function<std::int64_t(std::int64_t)>("compute"));
  std::printf("%lld\n", static_cast<long long>(need(compute(4))));
  need(offset.set(std::int64_t{-1}));
  std::printf("%lld\n", static_cast<long long>(need(compute(4))));

  const std::vector<wasi::Extern> swapped{offset, scale};
  const auto wrong = wasi::Instance::create(store, module, swapped);
  if (wrong || wrong.error().error() == nullptr) fail("the order is wrong");
  std::printf("in another order: %s\n", std::string(wasi::name_of(wrong.error().error()->kind)).c_str());
}
