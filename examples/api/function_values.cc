// Functions of the host as values: made at run time, passed as funcref, put into the guest's table.
#include "need.h"

#include <span>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (type $step (func (param i32) (result i32)))
  (table $steps (export "steps") 1 funcref)
  (func $call (param $step funcref) (param $x i32) (result i32)
    (table.set $steps (i32.const 0) (local.get $step))
    (call_indirect $steps (type $step) (local.get $x) (i32.const 0)))
  (func (export "twice") (param $step funcref) (param $x i32) (result i32)
    (call $call (local.get $step) (call $call (local.get $step) (local.get $x))))
  (func (export "kept") (param $x i32) (result i32)
    (call_indirect $steps (type $step) (local.get $x) (i32.const 0))))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto twice = need(instance.function<std::int32_t(wasi::Function, std::int32_t)>("twice"));
  const auto kept = need(instance.function<std::int32_t(std::int32_t)>("kept"));

  const auto adder = [&store](std::int32_t n) {
    return need(wasi::Function::create(store, [n](std::int32_t x) { return x + n; }));
  };
  std::printf("twice +5: %d\n", need(twice(adder(5), 1)));
  std::printf("twice +100: %d\n", need(twice(adder(100), 1)));

  // Of a type that is known at run time only, straight into the table.
  const wasi::FunctionType type{.params = {wasi::ValueType::i32()}, .results = {wasi::ValueType::i32()}};
  const auto square =
      need(wasi::Function::create(store, type,
                                  [](wasi::Caller&, std::span<const wasi::Value> args,
                                     std::span<wasi::Value> results) -> std::expected<void, wasi::Trap> {
                                    const auto x = args[0].as<std::int32_t>();
                                    if (!x) return std::unexpected(wasi::Trap::host_error("no i32"));
                                    results[0] = *x * *x;
                                    return {};
                                  }));
  need(need(instance.table("steps")).set(0, square.to_value()));
  std::printf("squared: %d\n", need(kept(12)));
  std::printf("its type: %s\n", square.type().to_string().c_str());

  const auto wrong = twice(need(wasi::Function::create(store, [] {})), 1);
  if (wrong) fail("the type is another one");
  std::printf("of another type: %s\n", wrong.error().message.c_str());
}
