// Types live as long as the modules, stores and linkers that use them; what an embedder keeps for longer is refused.
#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/fixture.h"
#include "engine/state.h"
#include "support/module_builder.h"

using namespace wasi;
using namespace wasi::test;

namespace {

std::size_t type_count(const Engine& engine) { return detail::Internals::state(engine)->registry->size(); }

// The text as it is: the engine's own reader knows all of it.
Result<Module> try_to_load(const Engine& engine, std::string_view text) {
  return Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// A structure of its own for each `number` (below 2^16), and what has to do with it.
std::string text_of(std::uint32_t number, std::string_view more = "") {
  std::string fields;
  for (std::uint32_t bit = 0; bit < 16; ++bit) fields += (number >> bit & 1) != 0 ? " (field i32)" : " (field i64)";
  return R"((module
    (type $s (struct)" +
         fields + R"())
    (type $list (array (mut (ref null $s))))
    (type $f (func (param (ref null $s)) (result (ref null $s))))
    (global (export "global") (mut (ref null $s)) (ref.null $s))
    (table (export "table") 3 (ref null $s))
    (tag $tag (export "tag") (param (ref null $s)))
    (func (export "make") (result (ref null $s)) (struct.new_default $s))
    (func (export "is") (param anyref) (result i32) (ref.test (ref $s) (local.get 0)))
    (func (export "many") (param $n i32) (result i32) (local $list (ref null $list))
      (local.set $list (array.new_default $list (local.get $n)))
      (loop $next
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (array.set $list (local.get $list) (local.get $n) (struct.new_default $s))
        (br_if $next (local.get $n)))
      (ref.test (ref $s) (array.get $list (local.get $list) (i32.const 0))))
    (func (export "echo") (type $f) (local.get 0))
    (func (export "throw") (throw $tag (struct.new_default $s))) )" +
         std::string(more) + ")";
}

Module load_number(const Engine& engine, std::uint32_t number, std::string_view more = "") {
  return must(try_to_load(engine, text_of(number, more)));
}

// The type of the global of such a module, which is gone.
ValueType stale_type(const Engine& engine, std::uint32_t number) {
  const Module module = load_number(engine, number);
  for (const ExportType& item : module.exports()) {
    if (const auto* global = std::get_if<GlobalType>(&item.type.type)) return global->type;
  }
  FAIL("no global");
  return {};
}

const auto nothing = [](Caller&, std::span<const Value>, std::span<Value>) -> std::expected<void, Trap> { return {}; };

}  // namespace

TEST_CASE("An engine that loads and drops modules keeps none of their types") {
  const Engine engine;
  std::uint32_t highest = 0;
  for (std::uint32_t round = 0; round < 1000; ++round) {
    const ValueType type = stale_type(engine, round);
    highest = std::max(highest, type.bits());
    REQUIRE(type_count(engine) == 0);
  }
  // Numbers are used again.
  CHECK(highest < 1000);
}

TEST_CASE("Loads that fail give back what they took") {
  const Engine engine;
  CHECK_FALSE(try_to_load(engine, text_of(1, "(func (result i32))")));
  CHECK_FALSE(try_to_load(engine, text_of(2, "(func (drop (i32.add (i32.const 1) (i64.const 1))))")));
  CHECK_FALSE(try_to_load(engine, text_of(3, "(export \"make\" (func 0))")));
  CHECK_FALSE(Module::validate(engine, Bytes{0, 'a', 's', 'm', 1, 0, 0, 0, 1, 7, 2, 0x60, 0, 0, 0x60, 0, 1}));
  CHECK(type_count(engine) == 0);
}

TEST_CASE("A store keeps the types of its instances, whose modules may be gone") {
  const Engine engine;
  {
    StoreConfig config;
    config.gc_stress = true;
    Store store(engine, config);
    Linker linker(engine);
    std::vector<Instance> instances;
    std::vector<Value> values;
    for (std::uint32_t i = 0; i < 20; ++i) {
      instances.push_back(must(linker.instantiate(store, load_number(engine, i))));
      for (std::uint32_t j = 0; j < 10; ++j) stale_type(engine, 100 + 10 * i + j);
      values.push_back(must(must(instances.back().func("make")).call({})).at(0));
    }
    const std::size_t count = type_count(engine);
    for (std::uint32_t i = 0; i < 20; ++i) {
      const Instance& instance = instances[i];
      CHECK(must(must(instance.function<std::int32_t(std::int32_t)>("many"))(50)) == 1);
      for (std::uint32_t j = 0; j < 20; ++j) {
        CHECK(must(must(instance.func("is")).call(std::vector{values[j]})).at(0) == Value(i == j ? 1 : 0));
      }
      must(must(instance.global("global")).set(values[i]));
      CHECK_FALSE(must(instance.global("global")).set(values[(i + 1) % 20]));
      must(must(instance.table("table")).set(1, values[i]));
      CHECK(must(must(instance.func("echo")).call(std::vector{values[i]})).at(0) == values[i]);
      const auto thrown = must(instance.func("throw")).call({});
      REQUIRE_FALSE(thrown);
      const auto exception = Exception::from_trap(store, thrown.error());
      REQUIRE(exception);
      CHECK(exception->values().at(0).reference_kind() == ReferenceKind::structure);
    }
    CHECK(type_count(engine) == count);
  }
  CHECK(type_count(engine) == 0);
}

TEST_CASE("What an embedder makes keeps the types that it has") {
  const Engine engine;
  {
    Store store(engine);
    Linker linker(engine);
    std::optional<Global> global;
    std::optional<Table> table;
    std::optional<Tag> tag;
    {
      const Module module = load_number(engine, 7);
      const ValueType type = std::get<GlobalType>(module.exports().at(0).type.type).type;
      const Value null = Value::zero_of(type);
      global = must(Global::create(store, {type, true}, null));
      table = must(Table::create(store, {.element = type, .limits = {2, 4}}, null));
      tag = must(Tag::create(store, std::vector{type, ValueType::i32()}));
      linker.define_untyped("env", "f", {{type}, {type}}, nothing);
    }
    for (std::uint32_t i = 100; i < 130; ++i) stale_type(engine, i);
    const ValueType type = global->type().type;
    const Value null = Value::zero_of(type);
    must(global->set(null));
    must(table->set(0, null));
    CHECK(table->grow(1, null) == 2U);
    CHECK(table->type().element == type);
    CHECK(tag->type().function.params == std::vector{type, ValueType::i32()});
    must(Exception::create(*tag, std::vector{null, Value(1)}));
    store.collect_garbage();
    // The same module again has the very type.
    const Instance instance = must(linker.instantiate(store, load_number(engine, 7)));
    must(global->set(must(must(instance.func("make")).call({})).at(0)));
  }
  CHECK(type_count(engine) == 0);
}

TEST_CASE("Types of modules that are gone are refused by whatever takes a type") {
  const Engine engine;
  Store store(engine);
  const Global any = must(Global::create(store, {ValueType::anyref(), true}, Value::zero_of(ValueType::anyref())));
  const ValueType stale = stale_type(engine, 1);
  const auto check = [](const auto& made) {
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::argument);
  };
  const Value zero = Value::zero_of(stale);
  CHECK_FALSE(stale.to_string().empty());
  check(Global::create(store, {stale, true}, zero));
  check(Table::create(store, {.element = stale, .limits = {1, 1}}, zero));
  check(Tag::create(store, std::vector{stale}));
  check(any.set(zero));
  check(any.set(Value::from_bits(stale, Value::from_i31(1).bits())));
  Linker linker(engine);
  linker.define_untyped("env", "f", {{stale}, {}}, nothing);
  const auto instance = linker.instantiate(store, must(try_to_load(engine, R"((module (import "env" "f" (func))))")));
  REQUIRE_FALSE(instance);
  CHECK_THAT(instance.error().to_string(), Catch::Contains("no value type of this engine"));
}

// It is another type then, and as good as any.
TEST_CASE("A number that was given out again stands for the new type") {
  const Engine engine;
  Store store(engine);
  const ValueType stale = stale_type(engine, 1);
  const Instance instance = must(Linker(engine).instantiate(store, load_number(engine, 2)));
  const Global global = must(instance.global("global"));
  REQUIRE(global.type().type == stale);
  must(global.set(Value::zero_of(stale)));
  CHECK_FALSE(global.set(Value::from_bits(stale, Value::from_i31(1).bits())));
  CHECK_FALSE(global.set(Value::from_bits(stale, {0x7000'0000'0000, 0})));
}

TEST_CASE("What stands for unknown imports keeps its types, also where nothing comes of it") {
  const Engine engine;
  {
    Store store(engine);
    Linker linker(engine);
    linker.unknown_imports(UnknownImports::zero);
    for (std::uint32_t i = 0; i < 10; ++i) {
      std::string text = text_of(i);
      // Imports stand before what is defined; the last one cannot be had.
      text.insert(text.find("(global (export"), R"(
        (import "env" "f" (func (type $f)))
        (import "env" "g" (global (mut (ref null $s))))
        (import "env" "t" (table 2 (ref null $s)))
        (import "env" "tag" (tag (param (ref null $s))))
        (import "env" "never" (global (ref $s)))
      )");
      const auto instance = linker.instantiate(store, must(try_to_load(engine, text)));
      REQUIRE_FALSE(instance);
      CHECK_THAT(instance.error().to_string(), Catch::Contains("never"));
      stale_type(engine, 100 + i);
      store.collect_garbage();
    }
    const Instance instance = must(linker.instantiate(store, load_number(engine, 1)));
    CHECK(must(must(instance.function<std::int32_t(std::int32_t)>("many"))(50)) == 1);
    store.collect_garbage();
  }
  CHECK(type_count(engine) == 0);
}

TEST_CASE("A linker keeps the types of its functions for the stores to come") {
  const Engine engine;
  std::optional<Linker> linker(engine);
  {
    const Module module = load_number(engine, 5);
    const ValueType type = std::get<GlobalType>(module.exports().at(0).type.type).type;
    linker->define_untyped(
        "env", "f", {{}, {type}},
        [type](Caller&, std::span<const Value>, std::span<Value> results) -> std::expected<void, Trap> {
          results[0] = Value::zero_of(type);
          return {};
        });
  }
  for (std::uint32_t i = 100; i < 120; ++i) stale_type(engine, i);
  std::string text = text_of(5, R"((func (export "call") (result i32) (ref.is_null (call $imported))))");
  text.insert(text.find("(global (export"), R"((import "env" "f" (func $imported (result (ref null $s)))) )");
  {
    Store store(engine);
    const Instance instance = must(linker->instantiate(store, must(try_to_load(engine, text))));
    linker.reset();
    CHECK(must(must(instance.function<std::int32_t()>("call"))()) == 1);
  }
  CHECK(type_count(engine) == 0);
}

TEST_CASE("Threads load, run and drop modules of one engine") {
  const Engine engine;
  std::atomic<std::uint32_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t round = 0; round < 30; ++round) {
        // Some of them at the same time as others do.
        const auto module = try_to_load(engine, text_of(round % 3 == 0 ? round : 1000 * t + round));
        if (!module) {
          ++wrong;
          continue;
        }
        Store store(engine);
        const auto instance = Linker(engine).instantiate(store, *module);
        const auto many = instance ? instance->function<std::int32_t(std::int32_t)>("many")
                                   : Result<TypedFunction<std::int32_t(std::int32_t)>>(std::unexpected(Error{}));
        if (!many || (*many)(20) != 1) ++wrong;
        // Numbers that others may be giving back.
        const ValueType any = ValueType::from_bits((12 + round % 16) << 3 | 7);
        if (const auto global = Global::create(store, {any, true}, Value::zero_of(any))) {
          if (!global->set(Value::zero_of(any))) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(type_count(engine) == 0);
}
