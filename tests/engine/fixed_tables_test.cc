// Tables that cannot grow: what code takes for certain of them is their size and their place, and nothing that they
// hold; whoever defined them, in every tier.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kOwner = R"((module
  (type $unary (func (param i32) (result i32)))
  (table $t (export "table") 4 4 funcref)
  (elem (table $t) (i32.const 1) func $double $triple)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func (export "swap") (local $first funcref)
    (local.set $first (table.get $t (i32.const 1)))
    (table.set $t (i32.const 1) (table.get $t (i32.const 2)))
    (table.set $t (i32.const 2) (local.get $first))))
)";

// The same table, its own one of the same kind, and one that can grow by one.
constexpr std::string_view kUser = R"((module
  (type $unary (func (param i32) (result i32)))
  (import "owner" "table" (table $theirs 4 4 funcref))
  (import "owner" "swap" (func $swap))
  (table $own 3 3 funcref)
  (table $growing 1 2 funcref)
  (elem declare func $negate)
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func (export "theirs") (param i32 i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum
        (i32.add (local.get $sum) (call_indirect $theirs (type $unary) (local.get 0) (local.get 1))))
      (call $swap)
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "own") (param i32 i32) (result i32)
    (table.set $own (local.get 1) (ref.func $negate))
    (call_indirect $own (type $unary) (local.get 0) (local.get 1)))
  (func (export "sizes") (result i32)
    (drop (table.grow $theirs (ref.null func) (i32.const 0)))
    (i32.add (table.size $theirs) (i32.mul (i32.const 10)
      (i32.add (table.grow $own (ref.null func) (i32.const 1)) (table.size $own)))))
  (func (export "growing") (param i32) (result i32)
    (drop (table.grow $growing (ref.func $negate) (i32.const 1)))
    (call_indirect $growing (type $unary) (local.get 0) (i32.sub (table.size $growing) (i32.const 1)))))
)";

using Binary = std::int32_t(std::int32_t, std::int32_t);

}  // namespace

TEST_CASE("Tables that cannot grow have the size that they have, and any content") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.bounds_checks = checks,
                                               .tier = tier,
                                               .tier_threshold = 1,
                                               .tier_threads = 0,
                                               .optimise_threshold = 0,
                                               .counts_optimisations = true}));
    Store store(engine);
    Linker linker(engine);
    const Instance owner = must(linker.instantiate(store, load_text(engine, kOwner)));
    linker.define_instance("owner", owner);
    const Instance user = must(linker.instantiate(store, load_text(engine, kUser)));
    const auto theirs = must(user.function<Binary>("theirs"));
    const auto own = must(user.function<Binary>("own"));
    const auto sizes = must(user.function<std::int32_t()>("sizes"));
    const auto growing = must(user.function<std::int32_t(std::int32_t)>("growing"));
    for (int i = 0; i < 3; ++i) {
      CHECK(must(theirs(4, 1)) == 4 * 2 + 3 * 3 + 2 * 2 + 1 * 3);
      CHECK(must(theirs(4, 2)) == 4 * 3 + 3 * 2 + 2 * 3 + 1 * 2);
      CHECK(theirs(1, 3).error().message.contains("uninitialized element"));
      for (const std::int32_t outside : {4, 5, -1}) {
        CHECK(theirs(1, outside).error().message.contains("undefined element"));
      }
      CHECK(must(own(5, 2)) == -5);
      CHECK(own(5, 3).error().message.contains("out of bounds table access"));
      CHECK(must(sizes()) == 4 + 10 * (-1 + 3));
      CHECK(must(growing(7)) == -7);
    }
    if (tier == TierSelection::optimising) CHECK(optimisation_count(engine, "fixed_tables") > 0);
  }
}
