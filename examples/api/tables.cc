// A table of functions, through which the guest calls them, seen and changed by the host.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (type $binary (func (param i32 i32) (result i32)))
  (table $operations (export "operations") 4 funcref)
  (elem (table $operations) (i32.const 0) func $add $subtract $negate)
  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $subtract (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
  (func $negate (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
  (func (export "apply") (param $which i32) (param $a i32) (param $b i32) (result i32)
    (call_indirect $operations (type $binary) (local.get $a) (local.get $b) (local.get $which))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto apply = need(instance.function<std::int32_t(std::uint32_t, std::int32_t, std::int32_t)>("apply"));
  const wasi::Table table = need(instance.table("operations"));

  const auto show = [&](std::uint32_t which) {
    const auto result = apply(which, 10, 3);
    std::printf("%u: %s\n", which, result ? std::to_string(*result).c_str() : result.error().message.c_str());
  };
  for (std::uint32_t which = 0; which < 5; ++which) show(which);

  // A function of the table, called directly.
  const auto negate = need(wasi::Function::from_value(store, need(table.get(2), "there are four")), "it is a function");
  std::printf("%s: %d\n", negate.type().to_string().c_str(), need(need(negate.typed<std::int32_t(std::int32_t)>())(6)));

  need(table.set(3, need(table.get(1), "there are four")));
  std::printf("the fourth is now the second, as a table of %llu\n", static_cast<unsigned long long>(table.size()));
  show(3);
}
