// Functions of the host as values, and references in typed signatures.
#include <functional>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

Module text_module(const Engine& engine, std::string_view text) {
  return must(Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

// A table of functions, a global, and calls through both; each also with a null reference.
constexpr std::string_view kTables = R"((module
  (type $op (func (param i32) (result i32)))
  (table (export "table") 4 funcref)
  (global (export "global") (mut funcref) (ref.null func))
  (func (export "call") (param i32 i32) (result i32) (call_indirect (type $op) (local.get 1) (local.get 0)))
  (func (export "give") (param funcref) (result funcref) (local.get 0))
  (func (export "set") (param i32 funcref) (table.set (local.get 0) (local.get 1)))
  (func (export "apply") (param funcref i32) (result i32)
    (table.set (i32.const 0) (local.get 0)) (call_indirect (type $op) (local.get 1) (i32.const 0)))
  (func (export "typed") (param (ref $op) i32) (result i32) (call_ref $op (local.get 1) (local.get 0)))
  (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))))";

struct Guest {
  explicit Guest(TierSelection tier = TierSelection::automatic)
      : engine(must(Engine::create({.tier = tier}))),
        store(engine),
        instance(must(Linker(engine).instantiate(store, text_module(engine, kTables)))) {}
  Engine engine;
  Store store;
  Instance instance;
};

enum class Color : std::int32_t { red = 1, blue = -2 };
enum Wide : std::uint64_t { wide = std::uint64_t{1} << 40 };

}  // namespace

TEST_CASE("A function of the host is called from tables, globals and arguments, in every tier") {
  for (const TierSelection tier : tiers()) {
    Guest guest(tier);
    int calls = 0;
    const Function add = must(Function::create(guest.store, [&calls](std::int32_t x) { return ++calls, x + 100; }));
    CHECK(add.type() == FunctionType{{ValueType::i32()}, {ValueType::i32()}});
    must(must(guest.instance.table("table")).set(2, add.to_value()));
    const auto call = must(guest.instance.function<std::int32_t(std::int32_t, std::int32_t)>("call"));
    CHECK(must(call(2, 5)) == 105);
    CHECK(must(must(guest.instance.function<std::int32_t(Function, std::int32_t)>("apply"))(add, 6)) == 106);
    CHECK(must(must(guest.instance.function<std::int32_t(Function, std::int32_t)>("typed"))(add, 7)) == 107);
    must(must(guest.instance.global("global")).set(add.to_value()));
    CHECK(Function::from_value(guest.store, must(guest.instance.global("global")).get()) == add);
    // By the host itself, too.
    CHECK(must(must(add.typed<std::int32_t(std::int32_t)>())(1)) == 101);
    CHECK(must(add.call({8})) == std::vector<Value>{108});
    CHECK(calls == 5);
  }
}

TEST_CASE("A function of the host that a linker did not make is an import as any other") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "f", must(Function::create(store, [](Caller& caller, std::int64_t x) {
                  CHECK(caller.instance());
                  return x * 2;
                })));
  const Instance instance = must(linker.instantiate(store, text_module(engine, R"((module
    (import "env" "f" (func $f (param i64) (result i64)))
    (func (export "run") (param i64) (result i64) (call $f (local.get 0)))))")));
  CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("run"))(21)) == 42);
}

TEST_CASE("A function of the host as a value traps, throws, recurs and ends as one of a linker's") {
  Guest guest;
  const auto call = must(guest.instance.function<std::int32_t(std::int32_t, std::int32_t)>("call"));
  const Table table = must(guest.instance.table("table"));
  const Function stops = must(Function::create(guest.store, [](std::int32_t x) -> std::expected<std::int32_t, Trap> {
    if (x < 0) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "negative"});
    return x;
  }));
  must(table.set(1, stops.to_value()));
  CHECK(must(call(1, 3)) == 3);
  CHECK(call(1, -3).error().message == "negative");
  const Function throws = must(
      Function::create(guest.store, [](std::int32_t) -> std::int32_t { throw std::runtime_error("disk on fire"); }));
  must(table.set(2, throws.to_value()));
  CHECK(call(2, 0).error().code == TrapCode::host_error);
  CHECK_THAT(call(2, 0).error().message, Catch::Contains("disk on fire"));
  // Through the table into itself.
  const Function sum = must(Function::create(guest.store, [](Caller& caller, std::int32_t x) {
    if (x == 0) return 0;
    const auto again = must(caller.instance()->function<std::int32_t(std::int32_t, std::int32_t)>("call"));
    return x + must(again(3, x - 1));
  }));
  must(table.set(3, sum.to_value()));
  CHECK(must(call(3, 10)) == 55);
}

TEST_CASE("A function of the host has a type that is known at run time only") {
  Guest guest;
  const FunctionType type{{ValueType::i32(), ValueType::funcref()}, {ValueType::funcref(), ValueType::i64()}};
  const Function swap = must(
      Function::create(guest.store, type,
                       [](Caller&, std::span<const Value> args, std::span<Value> results) -> std::expected<void, Trap> {
                         results[0] = args[1];
                         results[1] = std::int64_t{*args[0].as<std::int32_t>()};
                         return {};
                       }));
  CHECK(swap.type() == type);
  const auto results = must(swap.call({7, swap.to_value()}));
  CHECK(Function::from_value(guest.store, results.at(0)) == swap);
  CHECK(results.at(1) == Value(std::int64_t{7}));
  const Function wrong =
      must(Function::create(guest.store, FunctionType{{}, {ValueType::i32()}},
                            [](Caller&, std::span<const Value>, std::span<Value> out) -> std::expected<void, Trap> {
                              out[0] = 1.5;
                              return {};
                            }));
  CHECK(wrong.call({}).error().message == "host function: result 1 is f64, expected i32");
  CHECK(Function::create(guest.store, FunctionType{{ValueType::from_bits(0xfff0)}, {}}, {}).error().kind ==
        ErrorKind::argument);
}

TEST_CASE("What a function of the host holds goes with its store") {
  const auto witness = std::make_shared<int>(1);
  {
    Guest guest;
    must(Function::create(guest.store, [witness] { return *witness; }));
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}

TEST_CASE("Functions of the host count for the store's memory limit") {
  const Engine engine;
  Store store(engine, {.memory_limit = 1 << 20});
  Result<Function> made = Function::create(store, [] {});
  int count = 0;
  for (; made && count < 1'000'000; ++count) made = Function::create(store, [] {});
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::limit);
  CHECK(count > 1000);
}

TEST_CASE("A handle from a Caller whose store is gone makes no functions") {
  const Engine engine;
  std::optional<StoreContext> kept;
  {
    Store store(engine);
    const Function keeps = must(Function::create(store, [&kept](Caller& caller) { kept.emplace(caller); }));
    must(keeps.call({}));
    CHECK(Function::create(*kept, [] {}));
  }
  const auto made = Function::create(*kept, [] {});
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::argument);
  CHECK_FALSE(Function::from_value(*kept, Value::zero_of(ValueType::funcref())));
}

TEST_CASE("Typed signatures have functions, null ones where they say so") {
  Guest guest;
  const Function doubles = must(guest.instance.func("double"));
  const auto give = must(guest.instance.function<Function(Function)>("give"));
  CHECK(must(give(doubles)) == doubles);
  const auto maybe = must(guest.instance.function<std::optional<Function>(std::optional<Function>)>("give"));
  CHECK(must(maybe(doubles)) == doubles);
  CHECK_FALSE(must(maybe(std::nullopt)));
  const auto gives_null = must(guest.instance.function<Function(std::optional<Function>)>("give"));
  CHECK(gives_null(std::nullopt).error().message == "result 1 is null, which its C++ type does not stand for");
  // As parameters and results of the host.
  const Function twice = must(Function::create(guest.store, [](Function f, std::int32_t x) {
    const auto typed = must(f.typed<std::int32_t(std::int32_t)>());
    return must(typed(must(typed(x))));
  }));
  CHECK(must(twice.call({doubles.to_value(), 3})) == std::vector<Value>{12});
  CHECK(twice.call({Value::zero_of(ValueType::funcref()), 3}).error().message ==
        "argument 1 is null, which its C++ type does not stand for");
  const Function pair = must(Function::create(
      guest.store, [](std::optional<Function> f, const Function& g) { return std::tuple(g, f, f.has_value()); }));
  const auto results = must(pair.call({Value::zero_of(ValueType::funcref()), doubles.to_value()}));
  CHECK(Function::from_value(guest.store, results.at(0)) == doubles);
  CHECK(results.at(1).is_null());
  CHECK(results.at(2) == Value(0));
}

TEST_CASE("A reference that does not fit the guest's parameter is a trap, and nothing runs") {
  Guest guest;
  const auto typed = must(guest.instance.function<std::int32_t(Function, std::int32_t)>("typed"));
  const Function other = must(Function::create(guest.store, [](double x) { return x; }));
  CHECK_THAT(typed(other, 1).error().message, Catch::StartsWith("argument 1 is funcref, expected (ref $type"));
  Guest elsewhere;
  const Function foreign = must(elsewhere.instance.func("double"));
  CHECK(typed(foreign, 1).error().message == "argument 1 is a reference of another store");
  CHECK_FALSE(Function::from_value(guest.store, foreign.to_value()));
  CHECK(guest.instance.function<std::int32_t(ExternRef, std::int32_t)>("typed").error().kind == ErrorKind::argument);
}

TEST_CASE("Typed signatures have bool and enumerations") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  linker.define("env", "flip", [](bool b, Color c, Wide w) { return std::tuple(!b, c, w); });
  const Instance instance = must(linker.instantiate(store, text_module(engine, R"((module
    (import "env" "flip" (func $flip (param i32 i32 i64) (result i32 i32 i64)))
    (func (export "run") (param i32 i32 i64) (result i32 i32 i64)
      (call $flip (local.get 0) (local.get 1) (local.get 2)))
    (func (export "same") (param i32) (result i32) (local.get 0))))")));
  const auto run = must(instance.function<std::tuple<bool, Color, Wide>(bool, Color, Wide)>("run"));
  CHECK(must(run(true, Color::blue, wide)) == std::tuple(false, Color::blue, wide));
  CHECK(must(run(false, Color::red, Wide{})) == std::tuple(true, Color::red, Wide{}));
  const Function same = must(instance.func("same"));
  CHECK(must(must(same.typed<bool(std::int32_t)>())(256)));
  CHECK_FALSE(must(must(same.typed<bool(std::int32_t)>())(0)));
  CHECK(must(must(same.typed<std::int32_t(bool)>())(true)) == 1);
  CHECK(must(same.call({Color::blue})) == std::vector<Value>{-2});
  CHECK(must(same.call({true})).at(0).as<bool>() == true);
  CHECK(must(same.call({1})).at(0).as<Color>() == Color::red);
}

TEST_CASE("Arguments are written as a list") {
  Guest guest;
  CHECK(must(must(guest.instance.func("double")).call({21})) == std::vector<Value>{42});
  CHECK(must(guest.instance.func("double")).call({}).error().message == "expected 1 argument, got 0");
  CHECK(must(guest.instance.func("double")).call({2.5}).error().message == "argument 1 is f64, expected i32");
}

TEST_CASE("A function of the host stands for imports with the guest's own reference types, in every tier") {
  constexpr std::string_view kText = R"((module
    (type $point (struct (field (mut i32))))
    (type $other (struct (field i64)))
    (import "env" "bump" (func $bump (param (ref $point)) (result (ref $point))))
    (import "env" "bump" (func $bump_other (param (ref null $other)) (result (ref null $other))))
    (func (export "run") (param i32) (result i32)
      (struct.get $point 0 (call $bump (struct.new $point (local.get 0)))))
    (func (export "other") (result i32)
      (ref.is_null (call $bump_other (struct.new $other (i64.const 1)))))))";
  for (const TierSelection tier : tiers()) {
    Engine engine = must(Engine::create({.tier = tier}));
    const Module module = must(Module::from_text(engine, kText));
    Linker linker(engine);
    int calls = 0;
    bool answers_with_first = false;
    std::optional<Struct> first;
    linker.define("env", "bump", [&](const std::optional<Struct>& given) -> std::optional<Struct> {
      ++calls;
      if (!first) first = given;
      if (answers_with_first) return first;
      if (const auto x = given->get(0)->as<std::int32_t>()) must(given->set(0, *x + 1));
      return given;
    });
    const InstancePre prepared = must(linker.prepare(module));
    for (const bool is_prepared : {false, true}) {
      Store store(engine);
      const Instance instance =
          is_prepared ? must(prepared.instantiate(store)) : must(linker.instantiate(store, module));
      const auto run = must(instance.function<std::int32_t(std::int32_t)>("run"));
      calls = 0;
      answers_with_first = false;
      CHECK(must(run(41)) == 42);
      CHECK(must(run(1)) == 2);
      CHECK(calls == 2);
      // A $point, where an $other is asked for.
      answers_with_first = true;
      const auto other = must(instance.function<std::int32_t()>("other"))();
      REQUIRE_FALSE(other);
      CHECK(other.error().code == TrapCode::host_error);
      CHECK(other.error().message.find(
                "host function: result 1 is a reference to something else, expected (ref null") != std::string::npos);
      first.reset();
      CHECK(must(must(instance.function<std::int32_t()>("other"))()) == 0);
      first.reset();
    }
  }
}

TEST_CASE("A null that a guest's type does not have is no result, and other numbers are no import") {
  Engine engine;
  const Module module = must(Module::from_text(engine, R"((module
    (type $point (struct (field i32)))
    (import "env" "make" (func $make (param i32) (result (ref $point))))
    (func (export "run") (result i32) (struct.get $point 0 (call $make (i32.const 1))))))"));
  Store store(engine);
  Linker linker(engine);
  linker.allow_redefinition(true).define("env", "make",
                                         [](std::int32_t) -> std::optional<Struct> { return std::nullopt; });
  const Instance instance = must(linker.instantiate(store, module));
  const auto result = must(instance.function<std::int32_t()>("run"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("host function: result 1 is null, expected (ref ") != std::string::npos);

  linker.define("env", "make", [](std::int64_t) -> std::optional<Struct> { return std::nullopt; });
  const auto wrong = linker.instantiate(store, module);
  REQUIRE_FALSE(wrong);
  REQUIRE(wrong.error().error() != nullptr);
  CHECK(wrong.error().error()->kind == ErrorKind::unlinkable);
}
