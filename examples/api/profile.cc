// Which functions a guest spends its time in, and a text of that for a compilation that knows what matters.
#include "need.h"

#include <algorithm>

namespace {

constexpr const char* kGuest = R"wat(
(module
  (func $rarely (result i32) (i32.const 1))
  (func $never (result i32) (i32.const 2))
  (func $often (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 3)))
  (func (export "run") (result i32) (local $i i32) (local $sum i32)
    (local.set $sum (call $rarely))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $often (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (local.get $sum))
  (func (export "other") (result i32) (call $never)))
)wat";

}  // namespace

int main() {
  const wasi::Engine engine = need(wasi::Engine::create({.records_profile = true}));
  const wasi::Module module = need(wasi::Module::from_text(engine, kGuest));
  wasi::Store store(engine);
  const wasi::Instance instance = need(wasi::Linker(engine).instantiate(store, module));
  std::printf("the sum: %d\n", need(need(instance.function<std::int32_t()>("run"))()));

  wasi::Profile profile = module.profile();
  const auto count = [&](std::string_view name) -> std::uint64_t {
    const auto found = std::ranges::find(profile.functions, name, &wasi::Profile::Function::name);
    return found == profile.functions.end() ? 0 : found->count;
  };
  std::printf("more often than rarely: %s\n", count("often") > count("rarely") ? "yes" : "no");
  std::printf("never: %llu\n", static_cast<unsigned long long>(count("never")));

  // As a text it is kept, read again, and added to others.
  const wasi::Profile read = need(wasi::Profile::parse(profile.to_text()));
  std::printf("read again: %s\n", read == profile ? "the same" : "another");
  const std::uint64_t once = count("often");
  need(profile.merge(read));
  std::printf("of two runs: %s\n", count("often") == 2 * once ? "twice as much" : "something else");
}
