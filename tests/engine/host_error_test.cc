// What a host function that fails says to whoever called the guest: an exception of its own, or a payload, unchanged
// through any number of guests and host functions in between.
#include <memory>
#include <stdexcept>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

struct OutOfStock : std::runtime_error {
  explicit OutOfStock(int number) : std::runtime_error("out of stock"), item(number) {}
  int item;
};

constexpr std::string_view kBetween = R"((module
  (import "env" "order" (func $order (param i32) (result i32)))
  (func (export "run") (param i32) (result i32) (call $order (local.get 0)))))";

// run -> order -> run -> ... -> order(0), which is `fails`; the host functions in between hand the trap on by
// `hand_on`.
template <class Fails, class HandOn>
Trap trap_of(const Engine& engine, Fails fails, HandOn hand_on) {
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "order", [=](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
    if (depth == 0) return fails();
    return hand_on(must(caller.instance()->function<std::int32_t(std::int32_t)>("run"))(depth - 1));
  });
  const Instance instance = must(linker.instantiate(store, load(engine, kBetween)));
  auto result = must(instance.function<std::int32_t(std::int32_t)>("run"))(3);
  REQUIRE_FALSE(result);
  return std::move(result).error();
}

using Ordered = std::expected<std::int32_t, Trap>;

}  // namespace

TEST_CASE("An exception comes back as it was thrown, through guests and hosts") {
  for (const TierSelection tier : tiers()) {
    CAPTURE(static_cast<int>(tier));
    const Engine engine = must(Engine::create({.tier = tier}));
    const auto fails = []() -> Ordered { throw OutOfStock(17); };
    const auto check = [](const Trap& trap) {
      CHECK(trap.code == TrapCode::host_error);
      CHECK(trap.message == "error in a host function: out of stock");
      REQUIRE(trap.host_exception() != nullptr);
      try {
        std::rethrow_exception(trap.host_exception());
      } catch (const OutOfStock& thrown) {
        CHECK(thrown.item == 17);
      }
    };
    // Returned; thrown again as the trap; thrown again as the exception.
    check(trap_of(engine, fails, [](Ordered result) { return result; }));
    check(trap_of(engine, fails, [](Ordered result) -> Ordered {
      if (!result) throw std::move(result).error();
      return result;
    }));
    check(trap_of(engine, fails, [](Ordered result) -> Ordered {
      if (!result) std::rethrow_exception(result.error().host_exception());
      return result;
    }));
  }
}

TEST_CASE("It is the same object, not a copy, and is gone with the last trap that has it") {
  struct Counted {
    std::shared_ptr<int> alive;
  };
  const auto alive = std::make_shared<int>(0);
  const Engine engine;
  {
    const Trap trap =
        trap_of(engine, [&]() -> Ordered { throw Counted{alive}; }, [](Ordered result) { return result; });
    CHECK(trap.message == "error in a host function: an exception that is no std::exception");
    CHECK(alive.use_count() == 2);
    const Trap copy = trap;
    CHECK(alive.use_count() == 2);
    CHECK(copy.host_exception() == trap.host_exception());
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("A payload comes back without exceptions, too") {
  const Engine engine;
  const Trap trap = trap_of(
      engine, []() -> Ordered { return std::unexpected(Trap::host_error("no more", std::string("item 17"))); },
      [](Ordered result) { return result; });
  CHECK(trap.message == "error in a host function: no more");
  REQUIRE(trap.payload_as<std::string>() != nullptr);
  CHECK(*trap.payload_as<std::string>() == "item 17");
  CHECK(trap.payload_as<int>() == nullptr);
  CHECK(trap.host_exception() == nullptr);
  CHECK(trap.backtrace.size() == 4);  // of the guests, whose hosts handed it on
}

TEST_CASE("A trap of the guest's carries nothing, and one that is thrown stays what it is") {
  const Engine engine;
  CHECK_FALSE(must(instantiate(engine, R"((module (func (export "run") unreachable)))").function<void()>("run"))()
                  .error()
                  .payload.has_value());
  const Trap exit = trap_of(
      engine, []() -> Ordered { throw Trap{.code = TrapCode::exit, .exit_status = 5}; },
      [](Ordered result) { return result; });
  CHECK(exit.is_exit());
  CHECK(exit.exit_status == 5);
}

TEST_CASE("Untyped host functions and streams of hosts that throw") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_untyped(
      "env", "order", {{ValueType::i32()}, {ValueType::i32()}},
      [](Caller&, std::span<const Value>, std::span<Value>) -> std::expected<void, Trap> { throw OutOfStock(3); });
  const Instance instance = must(linker.instantiate(store, load(engine, kBetween)));
  const auto result = must(instance.func("run")).call(std::vector<Value>{1});
  REQUIRE_FALSE(result);
  CHECK_THROWS_AS(std::rethrow_exception(result.error().host_exception()), OutOfStock);
}
