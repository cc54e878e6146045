// C++ types in signatures: bool, enumerations, functions, and references that may be null.
#include "need.h"

namespace {

constexpr const char* kGuest = R"wat(
(module
  (import "host" "is_warm" (func $is_warm (param i32) (result i32)))
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (elem declare func $double)
  (func (export "opposite") (param $colour i32) (result i32)
    (i32.sub (i32.const 2) (local.get $colour)))
  (func (export "is_cold") (param $colour i32) (result i32)
    (i32.eqz (call $is_warm (local.get $colour))))
  ;; The function where it is wanted, else null.
  (func (export "doubler") (param $wanted i32) (result funcref)
    (if (result funcref) (local.get $wanted)
      (then (ref.func $double))
      (else (ref.null func)))))
)wat";

enum class Colour : std::int32_t { red, green, blue };

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Linker linker(engine);
  linker.define("host", "is_warm", [](Colour colour) { return colour == Colour::red; });
  wasi::Store store(engine);
  const wasi::Instance instance = need(linker.instantiate(store, module));

  const auto opposite = need(instance.function<Colour(Colour)>("opposite"));
  std::printf("opposite of red is blue: %s\n", need(opposite(Colour::red)) == Colour::blue ? "yes" : "no");
  const auto is_cold = need(instance.function<bool(Colour)>("is_cold"));
  std::printf("blue is cold: %s\n", need(is_cold(Colour::blue)) ? "yes" : "no");
  std::printf("red is cold: %s\n", need(is_cold(Colour::red)) ? "yes" : "no");

  const auto doubler = need(instance.function<std::optional<wasi::Function>(bool)>("doubler"));
  const auto function = need(need(doubler(true)), "it was wanted");
  std::printf("doubled: %d\n", need(need(function.typed<std::int32_t(std::int32_t)>())(21)));
  std::printf("not wanted: %s\n", need(doubler(false)) ? "a function" : "null");

  // Without std::optional a null is a trap, instead of a function that is none.
  const auto strict = need(instance.function<wasi::Function(bool)>("doubler"));
  const auto null = strict(false);
  if (null) fail("there is no function");
  std::printf("not wanted, but needed: %s\n",
              null.error().code == wasi::TrapCode::host_error ? "a trap" : "something else");
}
