// What a call leaves behind that accesses something outside of a memory, where EngineConfig::strict_memory asks for all
// that came before the access, and nothing of what comes after it.
#include <catch2/catch.hpp>
#include <vector>

#include "fixture.h"

using namespace wasi;
using namespace wasi::test;

TEST_CASE("With strict_memory everything before a trap has happened, and nothing after it") {
  constexpr std::string_view kText = R"((module
    (type $pair (struct (field (mut i32))))
    (memory (export "memory") 1)
    (global $number (export "number") (mut i32) (i32.const 0))
    (global $pair (mut (ref null $pair)) (ref.null none))
    (table $table (export "table") 1 funcref)
    (elem declare func $leave)
    (func (export "field") (result i32) (struct.get $pair 0 (global.get $pair)))
    (func $leave (export "leave") (param $address i32) (result i32)
      (global.set $pair (struct.new $pair (i32.const 1)))
      (i32.store (i32.const 16) (i32.const 1))
      (table.set $table (i32.const 0) (ref.func $leave))
      (struct.set $pair 0 (global.get $pair) (i32.const 2))
      (global.set $number (i32.const 1))
      (i32.store (i32.const 16) (i32.load offset=4 (local.get $address)))
      (global.set $number (i32.const 2))
      (table.set $table (i32.const 0) (ref.null func))
      (struct.set $pair 0 (global.get $pair) (i32.const 3))
      (i32.load (i32.const 16)))))";
  for (const TierSelection tier : tiers()) {
    for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
      INFO("tier " << static_cast<int>(tier) << ", checks " << static_cast<int>(checks));
      const Engine engine = must(Engine::create({.bounds_checks = checks, .tier = tier, .strict_memory = true}));
      const std::vector<std::uint8_t> text(kText.begin(), kText.end());  // not of wabt, which knows no objects
      Store store(engine);
      const Instance instance = must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, text))));
      const auto leave = must(instance.function<std::int32_t(std::int32_t)>("leave"));
      const auto field = must(instance.function<std::int32_t()>("field"));
      const Global number = must(instance.global("number"));
      const Memory memory = must(instance.memory("memory"));
      const Table table = must(instance.table("table"));
      const auto is_empty = [&] { return table.get(0).value().is_null(); };
      CHECK(leave(32) == 0);
      CHECK(number.get() == Value(std::int32_t{2}));
      CHECK(is_empty());
      CHECK(field() == 3);
      const auto left = leave(65533);
      REQUIRE_FALSE(left);
      CHECK(left.error().code == TrapCode::memory_out_of_bounds);
      CHECK(memory.read<std::int32_t>(16) == 1);
      CHECK(number.get() == Value(std::int32_t{1}));
      CHECK_FALSE(is_empty());
      CHECK(field() == 2);
    }
  }
}
