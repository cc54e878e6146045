// Addresses that are made from a neighbour's are the same addresses, in optimised code as elsewhere: where they wrap
// around at 4 GiB, where one of them is outside of the memory, and where one is not accessed after all.
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kNeighbours = R"((module
  (memory (export "memory") 1)
  (func (export "stored") (param $at i32) (result i32)
    (i32.store (i32.add (local.get $at) (i32.const 12)) (i32.const 0x01020304))
    (i32.store (i32.add (local.get $at) (i32.const 4)) (i32.const 0x05060708))
    (i32.store16 offset=2 (i32.add (local.get $at) (i32.const 8)) (i32.const 0x090a))
    (i32.store8 (i32.sub (local.get $at) (i32.const 20)) (i32.const 0x0b))
    (i32.xor (i32.load (i32.add (local.get $at) (i32.const 12))) (i32.load8_u (i32.sub (local.get $at) (i32.const 20)))))
  (func (export "higher") (param $at i32) (result i32)
    (i32.store8 (i32.add (local.get $at) (i32.const 20)) (i32.const 0x0c))
    (i32.store8 offset=1 (i32.add (local.get $at) (i32.const 16)) (i32.const 0x0d))
    (i32.load (i32.add (local.get $at) (i32.const 17))))
  (func (export "behind") (param $at i32) (result i32)
    (if (result i32) (i32.load8_u (i32.add (local.get $at) (i32.const 16)))
      (then (i32.add (i32.load (i32.add (local.get $at) (i32.const 20))) (i32.const 1)))
      (else (i32.load (i32.add (local.get $at) (i32.const 8))))))
  (func (export "either") (param $at i32) (result i32)
    (if (result i32) (i32.and (local.get $at) (i32.const 8))
      (then (i32.load (i32.add (local.get $at) (i32.const 4))))
      (else (i32.load (i32.add (local.get $at) (i32.const 12))))))
  (func (export "apart") (param $at i32) (result i32)
    (i32.store8 (local.get $at) (i32.const 1))
    (i32.store8 (i32.add (local.get $at) (i32.const 65535)) (i32.const 2))
    (i32.store8 (i32.add (local.get $at) (i32.const 65536)) (i32.const 3))
    (i32.store8 (i32.sub (local.get $at) (i32.const 65536)) (i32.const 4))
    (i32.load8_u (i32.add (local.get $at) (i32.const 65535))))
  (func (export "offset") (param $at i32) (result i32)
    (i32.store8 (i32.add (local.get $at) (i32.const 1)) (i32.const 1))
    (i32.load8_u offset=0xffffffff (i32.add (local.get $at) (i32.const 2))))
  (func $look (param $at i32) (result i32) (i32.load (i32.add (local.get $at) (i32.const 8))))
  (func (export "called between") (param $at i32) (result i32)
    (i32.store (i32.add (local.get $at) (i32.const 8)) (i32.const 77))
    (i32.add (call $look (local.get $at)) (i32.load (i32.add (local.get $at) (i32.const 4)))))
  ;; From 64 below, as a counter that ends at zero.
  (func (export "in loop") (param $at i32) (result i32) (local $i i32) (local $sum i32) (local $to i32)
    (local.set $i (i32.const -64))
    (loop $on
      (local.set $to (i32.add (local.get $at) (local.get $i)))
      (i32.store (i32.add (local.get $to) (i32.const 76)) (i32.mul (local.get $i) (i32.const 3)))
      (i32.store (i32.add (local.get $to) (i32.const 72)) (i32.mul (local.get $i) (i32.const 5)))
      (i32.store (i32.add (local.get $to) (i32.const 68)) (i32.mul (local.get $i) (i32.const 7)))
      (i32.store (i32.add (local.get $to) (i32.const 64)) (i32.mul (local.get $i) (i32.const 9)))
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.add (local.get $to) (i32.const 70)))))
      (br_if $on (local.tee $i (i32.add (local.get $i) (i32.const 16)))))
    (local.get $sum))
  ;; More than a few, of one address.
  (func (export "many") (param $at i32) (result i32)
    (i32.store offset=8 (local.get $at) (i32.const 1)) (i32.store offset=4 (local.get $at) (i32.const 2))
    (i32.store offset=16 (local.get $at) (i32.const 3)) (i32.store offset=12 (local.get $at) (i32.const 4))
    (i32.store offset=24 (local.get $at) (i32.const 5)) (i32.store offset=20 (local.get $at) (i32.const 6))
    (i32.store offset=32 (local.get $at) (i32.const 7)) (i32.store offset=28 (local.get $at) (i32.const 8))
    (i32.store offset=40 (local.get $at) (i32.const 9)) (i32.store offset=36 (local.get $at) (i32.const 10))
    (i32.store offset=48 (local.get $at) (i32.const 11)) (i32.store offset=44 (local.get $at) (i32.const 12))
    (i32.store offset=56 (local.get $at) (i32.const 13)) (i32.store offset=52 (local.get $at) (i32.const 14))
    (i32.store offset=64 (local.get $at) (i32.const 15)) (i32.store offset=60 (local.get $at) (i32.const 16))
    (i32.store offset=72 (local.get $at) (i32.const 17)) (i32.store offset=68 (local.get $at) (i32.const 18))
    (i32.store offset=80 (local.get $at) (i32.const 19)) (i32.store offset=76 (local.get $at) (i32.const 20))
    (i32.load offset=13 (local.get $at)))
  (func (export "grown") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
))";

constexpr const char* kFunctions[] = {"stored", "higher",         "behind",  "either", "apart",
                                      "offset", "called between", "in loop", "many"};
constexpr std::int64_t kPlaces[] = {0, 20, 1000, 65536, 131072, INT32_MAX, INT64_C(1) << 31, INT64_C(1) << 32};

// What a call gives and leaves in memory, or how it fails: what was stored before that may be missing.
std::string behaviour(const Engine& engine) {
  const Module module = load_text(engine, kNeighbours);
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  const Memory memory = must(instance.memory("memory"));
  std::ostringstream seen;
  for (const char* const function : kFunctions) {
    const auto call = must(instance.function<std::int32_t(std::int32_t)>(function));
    for (const std::int64_t place : kPlaces) {
      for (std::int64_t near = -90; near <= 30; ++near) {
        // As if the instance were a new one: nothing that runs here lets the memory grow.
        const std::span<std::uint8_t> bytes = memory.bytes();
        std::memset(bytes.data(), 0, bytes.size());
        const auto result = call(static_cast<std::int32_t>(static_cast<std::uint32_t>(place + near)));
        seen << function << ' ' << place << ' ' << near << ": ";
        if (!result) {
          seen << result.error().message << '\n';
          continue;
        }
        const std::string_view left(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        seen << *result << ' ' << std::hash<std::string_view>()(left) << '\n';
      }
    }
  }
  return seen.str();
}

}  // namespace

TEST_CASE("Addresses that are made from a neighbour's are the same in each tier") {
  const std::string expected = behaviour(must(Engine::create({.tier = TierSelection::interpreter})));
  CHECK(expected.contains("out of bounds"));
  for (const TierSelection tier : tiers()) {
    for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
      for (const bool is_strict : {false, true}) {
        INFO("tier " << static_cast<int>(tier) << ", checks " << static_cast<int>(checks) << ", strict " << is_strict);
        const Engine engine = must(Engine::create({.bounds_checks = checks,
                                                   .tier = tier,
                                                   .strict_memory = is_strict,
                                                   .counts_optimisations = tier == TierSelection::optimising}));
        CHECK(behaviour(engine) == expected);
        if (tier != TierSelection::optimising) continue;
        const bool is_shared = checks == BoundsChecks::guard_pages && !is_strict;
        CHECK((optimisation_count(engine, "shared_addresses") > 10) == is_shared);
      }
    }
  }
}

TEST_CASE("A memory with guard pages ends a page below 4 GiB, and other addresses rely on that") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    const Module module = must(
        Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(kNeighbours.data()), kNeighbours.size()}));
    const Instance instance = must(Linker(engine).instantiate(store, module));
    const auto grown = must(instance.function<std::int32_t(std::int32_t)>("grown"));
    CHECK(must(grown(65535)) == -1);
    CHECK(must(grown(2)) == 1);
    CHECK(must(grown(65533)) == -1);
    CHECK(must(grown(0)) == 3);
  }
}
