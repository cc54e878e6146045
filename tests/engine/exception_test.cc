// Exceptions as embedders meet them: uncaught ones, host functions that throw, catch and pass on.
#include <wasi/exception.h>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// What the tests have in common: a guest that throws, calls the host within a try, and counts what it caught.
constexpr std::string_view kGuest = R"((module $guest
  (import "env" "error" (tag $error (param i32)))
  (import "env" "call" (func $call (param i32) (result i32)))
  (tag $own (export "own") (param i64 f64))
  (func $raise (export "raise") (param i32) (throw $error (local.get 0)))
  (func (export "raise_own") (throw $own (i64.const -7) (f64.const 2.5)))
  (func (export "trap") unreachable)
  ;; What it caught, or 1000 more than the host's result.
  (func (export "try") (param i32) (result i32)
    (try (result i32)
      (do (i32.add (i32.const 1000) (call $call (local.get 0))))
      (catch $error)))
  (func (export "try_all") (param i32) (result i32)
    (try (result i32)
      (do (call $call (local.get 0)))
      (catch_all (i32.const -1))))
  (func (export "tail") (param i32) (result i32)
    (try (result i32)
      (do (return_call $call (local.get 0)))
      (catch_all (i32.const -1))))
  (func (export "outer") (param i32) (result i32)
    (try (result i32)
      (do (call $tail (local.get 0)))
      (catch $error (i32.add (i32.const 500)))))
  (func $tail (param i32) (result i32) (return_call $call (local.get 0)))))";

struct World {
  Engine engine;
  Store store{engine};
  Linker linker{engine};
  Tag error = must(Tag::create(store, std::vector{ValueType::i32()}));

  // `call` is the host function that the guest's exports call.
  template <class F>
  Instance guest(F call) {
    linker.define("env", "error", error);
    linker.define("env", "call", std::move(call));
    return must(linker.instantiate(store, load(engine, kGuest, "--debug-names")));
  }
  Instance guest() {
    return guest([](std::int32_t x) { return x; });
  }
  static auto function(const Instance& instance, std::string_view name) {
    return must(instance.function<std::int32_t(std::int32_t)>(name));
  }
};

using Int = std::expected<std::int32_t, Trap>;

}  // namespace

TEST_CASE("An exception that nobody catches ends the call, and says what was thrown where") {
  World world;
  const Instance guest = world.guest();
  const auto raised = must(guest.function<void(std::int32_t)>("raise"))(42);
  REQUIRE_FALSE(raised);
  const Trap& trap = raised.error();
  CHECK(trap.code == TrapCode::uncaught_exception);
  CHECK(trap.message == "unhandled exception: tag \"error\" (42)");
  REQUIRE(trap.backtrace.size() == 1);
  CHECK(trap.backtrace[0].function == "raise");
  CHECK(trap.backtrace[0].offset.has_value());

  const auto exception = Exception::from_trap(world.store, trap);
  REQUIRE(exception);
  CHECK(exception->tag() == world.error);
  CHECK(exception->values() == std::vector<Value>{42});

  const auto own = must(guest.function<void()>("raise_own"))();
  REQUIRE_FALSE(own);
  CHECK(own.error().message == "unhandled exception: tag \"own\" (-7, 2.5)");
  const auto second = Exception::from_trap(world.store, own.error());
  REQUIRE(second);
  CHECK(second->tag() == must(guest.tag("own")));
  CHECK_FALSE(second->tag() == world.error);
  CHECK(second->values() == std::vector<Value>{std::int64_t{-7}, 2.5});
  // The store goes on.
  CHECK(must(World::function(guest, "try")(1)) == 1001);
}

TEST_CASE("Other traps carry no exception") {
  World world;
  const auto trapped = must(world.guest().function<void()>("trap"))();
  REQUIRE_FALSE(trapped);
  CHECK_FALSE(Exception::from_trap(world.store, trapped.error()));
}

TEST_CASE("A host function throws, and the guest catches") {
  World world;
  const Instance guest = world.guest([tag = world.error](std::int32_t x) -> Int {
    if (x == 0) return 5;
    return std::unexpected(must(Exception::create(tag, std::vector<Value>{x})).to_trap());
  });
  CHECK(must(World::function(guest, "try")(0)) == 1005);
  CHECK(must(World::function(guest, "try")(7)) == 7);
  CHECK(must(World::function(guest, "try_all")(7)) == -1);
}

TEST_CASE("A host function's exception that nobody catches has the guest's backtrace") {
  World world;
  const Tag other = must(Tag::create(world.store, {}));
  const Instance guest = world.guest(
      [other](std::int32_t) -> Int { return std::unexpected(must(Exception::create(other, {})).to_trap()); });
  const auto thrown = World::function(guest, "try")(0);
  REQUIRE_FALSE(thrown);
  CHECK(thrown.error().message == "unhandled exception: tag");
  REQUIRE(thrown.error().backtrace.size() == 1);
  CHECK(Exception::from_trap(world.store, thrown.error())->tag() == other);
}

TEST_CASE("An exception passes a host function that hands it on, and its destructors run") {
  World world;
  int destroyed = 0;
  struct Counter {
    int& count;
    ~Counter() { ++count; }
  };
  const Instance guest = world.guest([&destroyed](Caller& caller, std::int32_t x) -> Int {
    const Counter counter{destroyed};
    const auto inner = must(caller.instance()->function<void(std::int32_t)>("raise"))(x);
    REQUIRE_FALSE(inner);
    return std::unexpected(inner.error());
  });
  CHECK(must(World::function(guest, "try")(77)) == 77);
  CHECK(destroyed == 1);
  CHECK(must(World::function(guest, "outer")(77)) == 577);
  CHECK(destroyed == 2);
}

TEST_CASE("A host function catches what a guest throws, and may throw another") {
  World world;
  const Instance guest = world.guest([tag = world.error](Caller& caller, std::int32_t x) -> Int {
    const auto inner = must(caller.instance()->function<void(std::int32_t)>("raise"))(x);
    const auto exception = Exception::from_trap(caller, inner.error());
    REQUIRE(exception);
    REQUIRE(exception->tag() == tag);
    const std::int32_t value = *exception->values().at(0).as<std::int32_t>();
    if (value < 10) return value * 2;
    return std::unexpected(must(Exception::create(tag, std::vector<Value>{value + 1})).to_trap());
  });
  CHECK(must(World::function(guest, "try")(4)) == 1008);
  CHECK(must(World::function(guest, "try")(40)) == 41);
}

TEST_CASE("A tail call leaves the try that it stands in") {
  World world;
  const Instance guest = world.guest([tag = world.error](std::int32_t x) -> Int {
    return std::unexpected(must(Exception::create(tag, std::vector<Value>{x})).to_trap());
  });
  const auto thrown = World::function(guest, "tail")(3);
  REQUIRE_FALSE(thrown);
  CHECK(thrown.error().message == "unhandled exception: tag \"error\" (3)");
  CHECK(must(World::function(guest, "outer")(3)) == 503);
}

TEST_CASE("Traps are not caught") {
  World world;
  const Instance guest = world.guest([](std::int32_t x) -> Int {
    if (x == 0) return std::unexpected(Trap{.code = TrapCode::exit, .exit_status = 3});
    // The code alone is no exception.
    return std::unexpected(Trap{.code = TrapCode::uncaught_exception, .message = "no exception"});
  });
  CHECK(World::function(guest, "try_all")(0).error().exit_status == 3);
  CHECK(World::function(guest, "try_all")(1).error().message == "no exception");
}

TEST_CASE("An exception stays in its store") {
  World one;
  World two;
  const auto raised = must(one.guest().function<void(std::int32_t)>("raise"))(1);
  const Trap foreign = raised.error();
  CHECK_FALSE(Exception::from_trap(two.store, foreign));
  const Instance guest = two.guest([foreign](std::int32_t) -> Int { return std::unexpected(foreign); });
  const auto result = World::function(guest, "try_all")(0);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == foreign.message);
}

TEST_CASE("A trap with an exception outlives its store") {
  std::optional<Trap> trap;
  {
    World world;
    trap = must(world.guest().function<void(std::int32_t)>("raise"))(1).error();
  }
  World another;
  CHECK_FALSE(Exception::from_trap(another.store, *trap));
  CHECK(trap->message == "unhandled exception: tag \"error\" (1)");
}

TEST_CASE("The host calls a host function that throws") {
  World world;
  world.linker.define("env", "error", world.error);
  world.linker.define("env", "throw", [tag = world.error]() -> std::expected<void, Trap> {
    return std::unexpected(must(Exception::create(tag, std::vector<Value>{9})).to_trap());
  });
  const Instance instance = must(world.linker.instantiate(
      world.store, load(world.engine, R"((module (import "env" "throw" (func $f)) (export "f" (func $f))))")));
  const auto thrown = must(instance.function<void()>("f"))();
  REQUIRE_FALSE(thrown);
  CHECK(Exception::from_trap(world.store, thrown.error())->values() == std::vector<Value>{9});
}

TEST_CASE("A start function that throws fails the instantiation") {
  World world;
  const auto instance = world.linker.instantiate(
      world.store, load(world.engine, "(module (tag $e (export \"e\")) (start $f) (func $f (throw $e)))"));
  REQUIRE_FALSE(instance);
  REQUIRE(instance.error().trap() != nullptr);
  CHECK(instance.error().trap()->message == "unhandled exception: tag \"e\"");
}

TEST_CASE("Tags are objects: two of one type are different, and imports must be of the type") {
  World world;
  const Tag same_type = must(Tag::create(world.store, std::vector{ValueType::i32()}));
  CHECK_FALSE(world.error == same_type);
  CHECK(world.error.type().to_string() == "(i32) -> ()");
  CHECK(Extern(world.error).kind() == ExternKind::tag);
  CHECK(*Extern(world.error).tag() == world.error);
  CHECK_FALSE(Extern(world.error).function());

  world.linker.allow_redefinition(true);
  world.linker.define("env", "error", must(Tag::create(world.store, std::vector{ValueType::i64()})));
  world.linker.define("env", "call", [](std::int32_t x) { return x; });
  const auto instance = world.linker.instantiate(world.store, load(world.engine, kGuest));
  REQUIRE_FALSE(instance);
  CHECK(instance.error().error()->kind == ErrorKind::unlinkable);

  const auto wrong = Exception::create(world.error, std::vector<Value>{1.5});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == ErrorKind::argument);
  CHECK(wrong.error().message == "an exception's values: value 1 is f64, expected i32");
}

TEST_CASE("Exceptions of one module are caught in another one, by the tag that both know") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Instance thrower = must(linker.instantiate(store, load(engine, R"((module
    (tag $e (export "e") (param i32 i64))
    (func (export "f") (param i32) (throw $e (local.get 0) (i64.extend_i32_s (local.get 0))))))")));
  linker.define_instance("thrower", thrower);
  const Instance catcher = must(linker.instantiate(store, load(engine, R"((module
    (import "thrower" "e" (tag $e (param i32 i64)))
    (import "thrower" "f" (func $f (param i32)))
    (tag $twin (param i32 i64))
    (memory 1)
    (func $middle (param i32) (try (do (call $f (local.get 0))) (catch $twin (drop) (drop))))
    (func (export "run") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.const 30))
      (try (result i32 i64) (do (call $middle (local.get 0)) (i32.const 0) (i64.const 0)) (catch $e))
      (i32.wrap_i64)
      (i32.add)
      (i32.add (i32.load (i32.const 0))))))")));
  CHECK(must(must(catcher.function<std::int32_t(std::int32_t)>("run"))(6)) == 42);
}

TEST_CASE("Exceptions are references in typed signatures, to the host and back, in every tier") {
  for (const TierSelection tier : tiers()) {
    Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    Linker linker(engine);
    const Tag error = must(Tag::create(store, std::vector{ValueType::i32()}));
    linker.define("env", "error", error);
    // One more than what it gets, as another exception; null for null.
    linker.define("env", "next",
                  [error](const std::optional<Exception>& caught) -> std::expected<std::optional<Exception>, Trap> {
                    if (!caught) return std::nullopt;
                    if (!(caught->tag() == error)) return std::unexpected(Trap::host_error("another tag"));
                    const std::int32_t number = *caught->values()[0].as<std::int32_t>() + 1;
                    return must(Exception::create(error, std::vector<Value>{number}));
                  });
    const Instance instance = must(linker.instantiate(store, must(Module::from_text(engine, R"((module
      (import "env" "error" (tag $error (param i32)))
      (import "env" "next" (func $next (param exnref) (result exnref)))
      (func $catch (export "catch") (param i32) (result exnref)
        (block $caught (result exnref)
          (try_table (catch_all_ref $caught) (throw $error (local.get 0)))
          (unreachable)))
      (func (export "next_of") (param i32) (result exnref) (call $next (call $catch (local.get 0))))
      (func (export "null") (result i32) (ref.is_null (call $next (ref.null exn))))
      (func (export "throw") (param exnref) (throw_ref (local.get 0)))))"))));
    const auto caught = must(must(instance.function<Exception(std::int32_t)>("catch"))(7));
    CHECK(caught.tag() == error);
    CHECK(caught.values() == std::vector<Value>{7});
    CHECK(caught.to_value().reference_kind() == ReferenceKind::exception);
    store.collect_garbage();
    const auto next = must(must(instance.function<Exception(std::int32_t)>("next_of"))(7));
    CHECK(next.values() == std::vector<Value>{8});
    CHECK(must(must(instance.function<std::int32_t()>("null"))()) == 1);

    // Thrown again it is the same one.
    const auto thrown = must(instance.function<void(Exception)>("throw"))(caught);
    REQUIRE_FALSE(thrown);
    const auto again = Exception::from_trap(store, thrown.error());
    REQUIRE(again);
    CHECK(again->to_value() == caught.to_value());
    const auto null = must(instance.function<void(std::optional<Exception>)>("throw"))(std::nullopt);
    REQUIRE_FALSE(null);
    CHECK(null.error().code == TrapCode::null_exception_reference);

    // A store takes its own alone.
    Store other(engine);
    const Tag foreign = must(Tag::create(other, std::vector{ValueType::i32()}));
    const auto refused =
        must(instance.function<void(Exception)>("throw"))(must(Exception::create(foreign, std::vector<Value>{1})));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == TrapCode::host_error);
    CHECK_FALSE(Exception::from_value(other, caught.to_value()));
  }
}
