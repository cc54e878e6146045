// Frames of many KiB: recursion ends with a trap before the native stack does.
#include <fmt/format.h>

#include <string>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// deep(n) reads `values` words, calls itself n times, and adds them up only then, so that all of them live in the
// frame.
std::string deep(int values) {
  std::string text = R"((module
    (memory 1)
    (func $deep (export "deep") (param $n i32) (result i64) (local $below i64))";
  for (int i = 0; i < values; ++i) text += fmt::format("(local $v{} i64)", i);
  for (int i = 0; i < values; ++i) {
    text += fmt::format("(local.set $v{} (i64.load offset={} (i32.const 0)))\n", i, i % 8000 * 8);
  }
  text += R"(
    (if (local.get $n)
      (then (local.set $below (call $deep (i32.sub (local.get $n) (i32.const 1))))))
    (i64.store (i32.const 0) (local.get $below))
    (local.get $below))";
  for (int i = 0; i < values; ++i)
    text += fmt::format("(i64.add (i64.rotl (local.get $v{}) (i64.const {})))\n", i, i % 64);
  return text + "(i64.add (i64.const 1))))";
}

}  // namespace

TEST_CASE("Recursion in functions with large frames ends with a trap, and the stack is whole afterwards") {
  for (const int values : {10, 900, 1100, 6000}) {
    const std::string text = deep(values);
    for (const TierSelection tier : tiers()) {
      CAPTURE(values, static_cast<int>(tier));
      const Engine engine = must(Engine::create({.tier = tier}));
      Store store(engine);
      const Module module =
          must(Module::from_bytes(engine, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
      const Instance instance = must(Linker(engine).instantiate(store, module));
      const auto function = must(instance.function<std::int64_t(std::int32_t)>("deep"));
      for (int round = 0; round < 2; ++round) {
        CHECK(must(function(2)) > 0);
        const auto result = function(1'000'000'000);
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().code == TrapCode::stack_overflow);
      }
    }
  }
}
