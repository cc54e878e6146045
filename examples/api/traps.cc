// A trap is a value: why the guest stopped, and where, function by function.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module $shop
  (func $share (param $sum i32) (param $guests i32) (result i32)
    (i32.div_u (local.get $sum) (local.get $guests)))
  (func $bill (param $guests i32) (result i32)
    (call $share (i32.const 120) (local.get $guests)))
  (func $evening (export "evening") (param $guests i32) (result i32)
    (i32.add (call $bill (local.get $guests)) (i32.const 5)))
  (func $deep (export "deep") (call $deep) (call $deep)))
)wat";

void print(const wasi::Trap& trap) {
  std::printf("%s\n", trap.message.c_str());
  for (const wasi::StackFrame& frame : trap.backtrace) {
    std::printf("  in %s, function %u of %s%s\n", frame.function.c_str(), frame.function_index, frame.module.c_str(),
                frame.offset ? "" : ", nobody knows where");
  }
}

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine, {.stack_size = 1 << 20});
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  const auto evening = need(instance.function<std::int32_t(std::int32_t)>("evening"));
  const auto deep = need(instance.function<void()>("deep"));

  std::printf("four guests: %d\n", need(evening(4)));
  const auto nobody = evening(0);
  if (nobody) fail("nothing can be shared by nobody");
  print(nobody.error());

  const auto endless = deep();
  if (endless) fail("it calls itself for ever");
  std::printf("%s, in %s\n", endless.error().message.c_str(), endless.error().backtrace.front().function.c_str());
  // The instance goes on as if nothing had been.
  std::printf("three guests: %d\n", need(evening(3)));
}
