// A function of a guest, called with C++ numbers: its type is checked once, when it is got.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (func (export "gcd") (param $a i32) (param $b i32) (result i32) (local $rest i32)
    (loop $again
      (if (local.get $b)
        (then
          (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
          (local.set $a (local.get $b))
          (local.set $b (local.get $rest))
          (br $again))))
    (local.get $a)))
)wat";

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));

  const auto gcd = need(instance.function<std::uint32_t(std::uint32_t, std::uint32_t)>("gcd"));
  std::printf("gcd(6, 27) = %u\n", need(gcd(6, 27)));
  std::printf("gcd(3528, 3780) = %u\n", need(gcd(3528, 3780)));

  // A signature that the function does not have is an error here, not a surprise in a call.
  const auto wrong = instance.function<float(float)>("gcd");
  if (wrong) fail("gcd takes no float");
  std::printf("as float(float): %s error\n", std::string(wasi::name_of(wrong.error().kind)).c_str());
}
