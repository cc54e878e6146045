// Functions of the host: their C++ signatures, what they can reach, how they fail.
#include <functional>
#include <stdexcept>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

std::int32_t twice(std::int32_t value) noexcept { return value * 2; }

// A guest that calls env.f and hands on what it returns.
Instance with_function(Store& store, const Linker& linker, const Engine& engine, std::string_view params,
                       std::string_view results, std::string_view args) {
  const std::string text = "(module (import \"env\" \"f\" (func $f (param " + std::string(params) + ") (result " +
                           std::string(results) + "))) (memory (export \"memory\") 1) (data (i32.const 8) \"hello\")" +
                           " (func $run (export \"run\") (result " + std::string(results) + ") (call $f " +
                           std::string(args) + ")))";
  return must(linker.instantiate(store, load(engine, text, "--debug-names")));
}

}  // namespace

TEST_CASE("Any callable with one signature is a host function") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const auto run = [&](std::string_view args) {
    const Instance instance = with_function(store, linker, engine, "i32", "i32", args);
    return must(must(instance.function<std::int32_t()>("run"))());
  };
  SECTION("lambda") {
    linker.define("env", "f", [](std::int32_t x) { return x + 1; });
    CHECK(run("(i32.const 41)") == 42);
  }
  SECTION("lambda with state") {
    linker.define("env", "f", [sum = 0](std::int32_t x) mutable { return sum += x; });
    CHECK(run("(call $f (i32.const 20))") == 40);
  }
  SECTION("function pointer") {
    linker.define("env", "f", &twice);
    CHECK(run("(i32.const 21)") == 42);
  }
  SECTION("function") {
    linker.define("env", "f", twice);
    CHECK(run("(i32.const 21)") == 42);
  }
  SECTION("std::function") {
    linker.define("env", "f", std::function<std::int32_t(std::int32_t)>([](std::int32_t x) { return x - 1; }));
    CHECK(run("(i32.const 43)") == 42);
  }
  SECTION("unsigned") {
    linker.define("env", "f", [](std::uint32_t x) { return x / 2; });
    CHECK(run("(i32.const -2)") == 0x7fffffff);
  }
  SECTION("of vectors") {
    linker.define("env", "f", [](V128 vector, std::int32_t x) {
      for (auto& byte : vector.bytes) byte = static_cast<std::uint8_t>(byte + x);
      return vector;
    });
    const Instance instance =
        with_function(store, linker, engine, "v128 i32", "v128", "(v128.const i64x2 1 2) (i32.const 3)");
    CHECK(must(must(instance.function<V128()>("run"))()) == V128{{4, 3, 3, 3, 3, 3, 3, 3, 5, 3, 3, 3, 3, 3, 3, 3}});
  }
  SECTION("a callable that cannot be copied") {
    linker.define("env", "f", [owned = std::make_unique<int>(5)](std::int32_t x) { return x + *owned; });
    CHECK(run("(i32.const 37)") == 42);
  }
}

TEST_CASE("Arguments and results of every kind, several results") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](std::int32_t a, std::int64_t b, float c, double d) {
    return std::tuple<double, float, std::int64_t, std::int32_t>(d, c, b, a);
  });
  const Instance instance = with_function(store, linker, engine, "i32 i64 f32 f64", "f64 f32 i64 i32",
                                          "(i32.const -1) (i64.const -2) (f32.const 0.5) (f64.const 0.25)");
  const auto run = must(instance.function<std::tuple<double, float, std::int64_t, std::int32_t>()>("run"));
  CHECK(must(run()) == std::tuple(0.25, 0.5F, std::int64_t{-2}, -1));
}

TEST_CASE("A caller's memory, exports and store data are at hand") {
  const Engine engine;
  Store store(engine);
  store.data() = std::string("seen: ");
  Linker linker(engine);
  linker.define("env", "f", [](Caller& caller, std::uint32_t address, std::uint32_t length) {
    const auto text = caller.memory().text(address, length);
    if (!text) return std::int32_t{-1};
    caller.data<std::string>()->append(*text);
    CHECK(caller.data<int>() == nullptr);
    CHECK(caller.instance()->get("memory")->kind() == ExternKind::memory);
    return static_cast<std::int32_t>(text->size());
  });
  const auto run = [&](std::string_view args) {
    return must(must(with_function(store, linker, engine, "i32 i32", "i32", args).function<std::int32_t()>("run"))());
  };
  CHECK(run("(i32.const 8) (i32.const 5)") == 5);
  CHECK(run("(i32.const 65535) (i32.const 1)") == 1);
  CHECK(run("(i32.const 65535) (i32.const 2)") == -1);
  CHECK(run("(i32.const -1) (i32.const -1)") == -1);
  CHECK(std::any_cast<std::string>(store.data()) == std::string("seen: hello") + '\0');
}

TEST_CASE("A guest without memory has an empty one") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](Caller& caller) {
    CHECK_FALSE(caller.memory());
    CHECK(caller.memory().size() == 0);
    CHECK(caller.memory().read<std::uint8_t>(0) == std::nullopt);
    CHECK(caller.memory().grow(1) == std::nullopt);
  });
  const auto instance = must(linker.instantiate(
      store, load(engine, R"((module (import "env" "f" (func $f)) (func (export "run") (call $f))))")));
  must(must(instance.function<void()>("run"))());
}

TEST_CASE("A host function stops the guest with a trap of its own") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](std::int32_t x) -> std::expected<std::int32_t, Trap> {
    if (x < 0) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "negative"});
    return x;
  });
  const auto run = [&](std::string_view args) {
    return must(with_function(store, linker, engine, "i32", "i32", args).function<std::int32_t()>("run"))();
  };
  CHECK(must(run("(i32.const 3)")) == 3);
  const auto result = run("(i32.const -3)");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::host_error);
  CHECK(result.error().message == "negative");
  // The guest function that called is in the backtrace.
  REQUIRE_FALSE(result.error().backtrace.empty());
  CHECK(result.error().backtrace.back().function == "run");
}

TEST_CASE("A host function ends the program with an exit status") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](std::int32_t x) -> std::expected<void, Trap> {
    return std::unexpected(Trap{.code = TrapCode::exit, .exit_status = x});
  });
  const auto instance = must(linker.instantiate(store, load(engine, R"(
    (module (import "env" "f" (func $f (param i32))) (func (export "run") (call $f (i32.const 3)) unreachable)))")));
  const auto result = must(instance.function<void()>("run"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().is_exit());
  CHECK(result.error().exit_status == 3);
}

TEST_CASE("An exception becomes a trap") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](std::int32_t x) -> std::int32_t {
    if (x == 1) throw std::runtime_error("disk on fire");
    if (x == 2) throw 2;
    return x;
  });
  const auto run = [&](std::string_view args) {
    return must(with_function(store, linker, engine, "i32", "i32", args).function<std::int32_t()>("run"))();
  };
  const auto result = run("(i32.const 1)");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::host_error);
  CHECK_THAT(result.error().message, Catch::Contains("disk on fire"));
  CHECK(run("(i32.const 2)").error().code == TrapCode::host_error);
  CHECK(must(run("(i32.const 3)")) == 3);
}

TEST_CASE("Host and guest call each other, and a trap crosses all of them") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  int destroyed = 0;
  struct Counter {
    int* count;
    ~Counter() { ++*count; }
  };
  linker.define("env", "back", [&](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
    const Counter counter{&destroyed};
    const auto down = caller.instance()->function<std::int32_t(std::int32_t)>("down");
    return (*down)(depth - 1);
  });
  const auto instance = must(linker.instantiate(store, load(engine, R"(
    (module
      (import "env" "back" (func $back (param i32) (result i32)))
      (func $down (export "down") (param i32) (result i32)
        (if (i32.lt_s (local.get 0) (i32.const 0)) (then unreachable))
        (if (result i32) (i32.eqz (local.get 0))
          (then (i32.const 100))
          (else (i32.add (i32.const 1) (call $back (local.get 0)))))))
  )")));
  const auto down = must(instance.function<std::int32_t(std::int32_t)>("down"));
  CHECK(must(down(10)) == 110);
  CHECK(destroyed == 10);
  // The host frames in between are left in an orderly way.
  linker.allow_redefinition(true);
  linker.define("env", "back", [&](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
    const Counter counter{&destroyed};
    return (*caller.instance()->function<std::int32_t(std::int32_t)>("down"))(depth == 1 ? -1 : depth - 1);
  });
  const auto trapping = must(linker.instantiate(store, instance.module()));
  destroyed = 0;
  const auto result = must(trapping.function<std::int32_t(std::int32_t)>("down"))(5);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::unreachable);
  CHECK(destroyed == 5);
}

TEST_CASE("Functions whose types are known at run time only") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define_untyped(
      "env", "f", {{ValueType::i32(), ValueType::f64()}, {ValueType::i32()}},
      [](Caller&, std::span<const Value> args, std::span<Value> results) -> std::expected<void, Trap> {
        REQUIRE(args.size() == 2);
        REQUIRE(results.size() == 1);
        CHECK(results[0] == Value(std::int32_t{0}));
        const std::int32_t x = *args[0].as<std::int32_t>();
        if (x == 0) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "zero"});
        results[0] = x == 1 ? Value(1.5) : Value(x + static_cast<std::int32_t>(*args[1].as<double>()));
        return {};
      });
  const auto run = [&](std::string_view args) {
    return must(with_function(store, linker, engine, "i32 f64", "i32", args).function<std::int32_t()>("run"))();
  };
  CHECK(must(run("(i32.const 40) (f64.const 2.9)")) == 42);
  CHECK(run("(i32.const 0) (f64.const 0)").error().message == "zero");
  CHECK(run("(i32.const 1) (f64.const 0)").error().message == "host function: result 1 is f64, expected i32");
}

TEST_CASE("A function whose type cannot be is an error of the instantiation that asks for it") {
  const Engine engine;
  Store store(engine);
  const auto nothing = [](Caller&, std::span<const Value>, std::span<Value>) -> std::expected<void, Trap> {
    return {};
  };
  const Module user = load(engine, R"((module (import "env" "f" (func (param i32)))))");
  for (const std::uint32_t bits : {0U, 9U, 0x1007U, 0x7FFFFFFFU, 0x80000007U}) {
    INFO(bits);
    const ValueType type = ValueType::from_bits(bits);
    for (const FunctionType& wrong : {FunctionType{{type}, {}}, FunctionType{{ValueType::i32()}, {type}}}) {
      Linker linker(engine);
      linker.define_untyped("env", "f", wrong, nothing);
      CHECK(linker.instantiate(store, load(engine, "(module)")));
      const auto instance = linker.instantiate(store, user);
      REQUIRE_FALSE(instance);
      REQUIRE(instance.error().error() != nullptr);
      CHECK(instance.error().error()->kind == ErrorKind::argument);
      CHECK_THAT(instance.error().to_string(),
                 Catch::Contains("the function \"env\".\"f\" cannot be defined: the bits 0x"));
      // A later definition replaces it.
      linker.allow_redefinition(true).define("env", "f", [](std::int32_t) {});
      CHECK(linker.instantiate(store, user));
    }
  }
  Linker linker(engine);
  linker.define_untyped("env", "f", {std::vector(1001, ValueType::i32()), {}}, nothing);
  const auto instance = linker.instantiate(store, user);
  REQUIRE_FALSE(instance);
  REQUIRE(instance.error().error() != nullptr);
  CHECK(instance.error().error()->kind == ErrorKind::limit);
}

TEST_CASE("Host functions can be called by the host itself") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", [](Caller& caller, std::int32_t x) {
    CHECK_FALSE(caller.instance());
    return x + 1;
  });
  const auto instance = must(linker.instantiate(store, load(engine, R"(
    (module (import "env" "f" (func $f (param i32) (result i32))) (export "f" (func $f))))")));
  CHECK(must(must(instance.function<std::int32_t(std::int32_t)>("f"))(1)) == 2);
}
