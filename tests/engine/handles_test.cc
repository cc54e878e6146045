// Handles and values that outlive what they stand for, that are moved from, that belong elsewhere.
#include <array>
#include <memory>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kEverything = R"((module
  (tag $t (export "tag") (param i32))
  (memory (export "memory") 1)
  (global (export "number") (mut i32) (i32.const 7))
  (global (export "function") (mut funcref) (ref.null func))
  (table (export "table") 2 10 funcref)
  (func $k (export "k") (result i32) (i32.const 7))
  (func (export "take") (param funcref) (result i32)
    (table.set 0 (i32.const 0) (local.get 0)) (call_indirect (result i32) (i32.const 0)))
  (func (export "throw") (throw $t (i32.const 3)))
  (func (export "run") (loop (br 0)))
))";

Instance make(Store& store, const Engine& engine) {
  return must(Linker(engine).instantiate(store, load(engine, kEverything, "--enable-exceptions")));
}

std::string refusal(const Result<void>& result) { return result ? "taken" : result.error().message; }

// That no place of the store takes the value as a function.
void check_refused(Store& store, const Instance& instance, const Engine& engine, const Value& value) {
  CHECK_THAT(refusal(must(instance.table("table")).set(1, value)), Catch::Contains("cannot hold"));
  CHECK_THAT(refusal(must(instance.global("function")).set(value)), Catch::Contains("cannot hold"));
  CHECK_FALSE(must(instance.table("table")).grow(1, value));
  CHECK_FALSE(Table::create(store, {.limits = {1, 1}}, value));
  CHECK_FALSE(Global::create(store, {.type = ValueType::funcref()}, value));
  CHECK_FALSE(Function::from_value(store, value));
  const auto argument = must(instance.func("take")).call(std::array{value});
  REQUIRE_FALSE(argument);
  CHECK(argument.error().message == "argument 1 is a reference of another store");
  CHECK_FALSE(Exception::create(must(Tag::create(store, std::array{ValueType::funcref()})), std::array{value}));
  // As the result of a host function.
  Linker linker(engine);
  linker.define_untyped("", "f", {.params = {}, .results = {ValueType::funcref()}},
                        [&](Caller&, std::span<const Value>, std::span<Value> results) -> std::expected<void, Trap> {
                          results[0] = value;
                          return {};
                        });
  const Instance caller = must(linker.instantiate(
      store,
      load(engine, R"((module (import "" "f" (func $f (result funcref))) (func (export "r") (drop (call $f)))))")));
  const auto result = must(caller.function<void()>("r"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "host function: result 1 is a reference of another store");
}

}  // namespace

TEST_CASE("Functions of another store, alive or gone, and bits that are none, are refused") {
  const Engine engine;
  Store store(engine);
  const Instance instance = make(store, engine);
  SECTION("of another store") {
    Store other(engine);
    check_refused(store, instance, engine, must(make(other, engine).func("k")).to_value());
  }
  SECTION("of a store that is gone") {
    Value value;
    {
      Store other(engine);
      value = must(make(other, engine).func("k")).to_value();
    }
    CHECK(value.reference_kind() == ReferenceKind::function);
    check_refused(store, instance, engine, value);
  }
  SECTION("of another engine") {
    const Engine elsewhere;
    Store other(elsewhere);
    check_refused(store, instance, engine, must(make(other, elsewhere).func("k")).to_value());
  }
  SECTION("made of bits") {
    const Value made = Value::from_bits(ValueType::funcref(), {0xdeadbee8, 0});
    CHECK_FALSE(made.reference_kind());
    check_refused(store, instance, engine, made);
    const Function own = must(instance.func("k"));
    check_refused(store, instance, engine, Value::from_bits(ValueType::funcref(), own.to_value().bits()));
  }
  SECTION("their own are taken") {
    const Value own = must(instance.func("k")).to_value();
    CHECK(must(must(instance.func("take")).call(std::array{own})).front() == Value(7));
    must(must(instance.table("table")).set(1, own));
    const Value read = *must(instance.table("table")).get(1);
    CHECK(read == own);
    CHECK(must(Function::from_value(store, read)->call({})).front() == Value(7));
  }
}

TEST_CASE("Numbers in the place of functions are refused") {
  const Engine engine;
  Store store(engine);
  const Instance instance = make(store, engine);
  for (const std::uint64_t bits : {1U, 2U, 3U, 6U}) {
    const Value value = Value::from_bits(ValueType::funcref(), {bits, 0});
    CHECK_FALSE(must(instance.table("table")).set(0, value));
    CHECK_FALSE(Function::from_value(store, value));
    CHECK_FALSE(must(instance.func("take")).call(std::array{value}));
  }
}

TEST_CASE("Values of objects are readable after their store") {
  Value structure;
  Value array;
  {
    const Engine engine;
    Store store(engine);
    const auto text = R"((module (type $p (struct (field i32))) (type $a (array i8))
      (func (export "p") (result (ref $p)) (struct.new $p (i32.const 3)))
      (func (export "a") (result (ref $a)) (array.new $a (i32.const 3) (i32.const 5)))))";
    const Module module = must(Module::from_bytes(
        engine, std::span(reinterpret_cast<const std::uint8_t*>(text), std::string_view(text).size())));
    const Instance instance = must(Linker(engine).instantiate(store, module));
    structure = must(must(instance.func("p")).call({})).front();
    array = must(must(instance.func("a")).call({})).front();
  }
  CHECK(structure.reference_kind() == ReferenceKind::structure);
  CHECK(array.reference_kind() == ReferenceKind::array);
  CHECK_FALSE(structure.is_null());
  CHECK_FALSE(structure.as_i31());
  // Another store does not take them.
  const Engine engine;
  Store store(engine);
  CHECK_FALSE(Global::create(store, {.type = ValueType::anyref()}, structure));
}

TEST_CASE("What a Caller gave says that its store is gone") {
  const Engine engine;
  Linker linker(engine);
  std::optional<Instance> kept;
  std::optional<Memory> memory;
  std::optional<Function> function;
  std::optional<TypedFunction<std::int32_t()>> typed;
  std::optional<Global> global;
  std::optional<Table> table;
  std::optional<Tag> tag;
  std::optional<Exception> exception;
  linker.define("", "h", [&](Caller& caller) {
    kept = caller.instance();
    memory = caller.memory();
    function = must(kept->func("k"));
    typed = must(kept->function<std::int32_t()>("k"));
    global = must(kept->global("number"));
    table = must(kept->table("table"));
    tag = must(kept->tag("tag"));
    exception = must(Exception::create(*tag, std::array<Value, 1>{5}));
  });
  const std::string text =
      std::string(kEverything.substr(0, kEverything.rfind(')'))) + R"((func (export "call") (call $h))))";
  const std::string module_text = "(module (import \"\" \"h\" (func $h))" + text.substr(7);
  {
    Store store(engine);
    const Instance instance = must(linker.instantiate(store, load(engine, module_text, "--enable-exceptions")));
    must(must(instance.function<void()>("call"))());
    CHECK(must((*typed)()) == 7);
    CHECK(memory->size() == kPageSize);
    CHECK(exception->values() == std::vector<Value>{5});
    CHECK(exception->tag() == must(instance.tag("tag")));
  }
  CHECK_FALSE(kept->func("k"));
  CHECK(kept->func("k").error().message == "the store of this instance does not exist any more");
  CHECK_FALSE(kept->memory("memory"));
  CHECK_FALSE(kept->global("number"));
  CHECK_FALSE(kept->table("table"));
  CHECK_FALSE(kept->tag("tag"));
  CHECK_FALSE(kept->get("k"));
  CHECK(kept->module().exports().empty());
  CHECK_FALSE(*memory);
  CHECK(memory->size() == 0);
  CHECK_FALSE(memory->grow(1));
  CHECK_FALSE(memory->read<std::int32_t>(0));
  CHECK(memory->type() == MemoryType{});
  CHECK_FALSE(memory->shared());
  CHECK(function->type() == FunctionType{});
  CHECK(function->call({}).error().code == TrapCode::host_error);
  CHECK(function->to_value().is_null());
  CHECK_FALSE(function->typed<std::int32_t()>());
  const auto result = (*typed)();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::host_error);
  CHECK(result.error().message == "the store of this function does not exist any more");
  CHECK(global->type() == GlobalType{});
  CHECK(global->get() == Value());
  CHECK_FALSE(global->set(1));
  CHECK(table->size() == 0);
  CHECK_FALSE(table->get(0));
  CHECK_FALSE(table->set(0, Value::zero_of(ValueType::funcref())));
  CHECK_FALSE(table->grow(1, Value::zero_of(ValueType::funcref())));
  CHECK(tag->type() == TagType{});
  CHECK(Exception::create(*tag, {}).error().message == "the store of this tag does not exist any more");
  CHECK(exception->values().empty());
  CHECK(exception->tag() == *tag);
  // A store in the same place of memory is another one.
  Store next(engine);
  CHECK_FALSE(*memory);
  CHECK_FALSE(kept->func("k"));
  const Trap trap = exception->to_trap();
  CHECK_FALSE(Exception::from_trap(next, trap));
  // As definitions they are objects of another store.
  Linker late(engine);
  late.define("", "f", *function).define("", "t", *tag).define_instance("gone", *kept);
  const auto instance = late.instantiate(next, load(engine, R"((module (import "" "f" (func (result i32)))))"));
  REQUIRE_FALSE(instance);
  CHECK_THAT(instance.error().to_string(), Catch::Contains("object of another store"));
}

TEST_CASE("Handles that were moved from stay valid") {
  Engine engine;
  const Engine moved_engine = std::move(engine);
  Store store(engine);
  Module module = load(engine, kEverything, "--enable-exceptions");
  const Module moved_module = std::move(module);
  Instance instance = must(Linker(engine).instantiate(store, module));
  const Instance moved_instance = std::move(instance);
  Function function = must(instance.func("k"));
  const Function moved_function = std::move(function);
  CHECK(must(function.call({})).front() == Value(7));
  auto typed = must(function.typed<std::int32_t()>());
  const auto moved_typed = std::move(typed);
  CHECK(must(typed()) == 7);
  Memory memory = must(instance.memory("memory"));
  const Memory moved_memory = std::move(memory);
  CHECK(memory.size() == kPageSize);
  Tag tag = must(instance.tag("tag"));
  const Tag moved_tag = std::move(tag);
  Exception exception = must(Exception::create(tag, std::array<Value, 1>{1}));
  const Exception moved_exception = std::move(exception);
  CHECK(exception.values() == moved_exception.values());
  MemoryDirectory directory;
  const MemoryDirectory moved_directory = std::move(directory);
  must(directory.add_file("f", "text"));
  CHECK(must(moved_directory.read_file("f")) == "text");
  OutputBuffer buffer;
  const OutputBuffer moved_buffer = std::move(buffer);
  CHECK(buffer.text().empty());
  SharedMemory shared = must(SharedMemory::create(engine, {.limits = {1, 1}, .is_shared = true}));
  const SharedMemory moved_shared = std::move(shared);
  CHECK(shared.size() == kPageSize);
}

namespace {

// Everything that keeps a store, in one place, to be dropped from within.
struct Handles {
  std::optional<Engine> engine;
  std::optional<Linker> linker;
  std::optional<Store> store;
  std::optional<Module> module;
  std::optional<Instance> instance;
  std::optional<Function> function;
  std::optional<TypedFunction<std::int32_t(std::int32_t)>> typed;

  void drop() {
    typed.reset();
    function.reset();
    instance.reset();
    module.reset();
    store.reset();
    linker.reset();
    engine.reset();
  }
};

}  // namespace

TEST_CASE("A host function may drop the last handles of what runs") {
  auto handles = std::make_unique<Handles>();
  const bool traps = GENERATE(false, true);
  handles->engine.emplace();
  const auto alive = std::make_shared<int>(0);
  handles->linker.emplace(*handles->engine);
  handles->linker->define(
      "", "h", [h = handles.get(), traps, alive](Caller& caller, std::int32_t n) -> std::expected<std::int32_t, Trap> {
        h->drop();
        // The store is there until the outermost call is done.
        if (!caller.memory().write<std::int32_t>(16, n)) return 0;
        if (traps) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "as told"});
        return *caller.memory().read<std::int32_t>(16) + 1;
      });
  handles->module = load(*handles->engine, R"((module (import "" "h" (func $h (param i32) (result i32)))
    (memory (export "memory") 1)
    (func $twice (export "twice") (param i32) (result i32) (i32.mul (i32.const 2) (call $h (local.get 0))))))");
  handles->store.emplace(*handles->engine);
  handles->instance = must(handles->linker->instantiate(*handles->store, *handles->module));
  handles->function = must(handles->instance->func("twice"));
  handles->typed = must(handles->function->typed<std::int32_t(std::int32_t)>());
  SECTION("typed") {
    const auto result = (*handles->typed)(4);
    if (traps) {
      REQUIRE_FALSE(result);
      CHECK(result.error().message == "as told");
    } else {
      CHECK(must(result) == 10);
    }
  }
  SECTION("untyped") {
    const auto result = handles->function->call(std::array<Value, 1>{4});
    if (traps) {
      REQUIRE_FALSE(result);
      CHECK(result.error().message == "as told");
      CHECK(result.error().backtrace.size() == 1);
    } else {
      CHECK(must(result).front() == Value(10));
    }
  }
  // And it is gone then, with the host function.
  CHECK(alive.use_count() == 1);
}

TEST_CASE("The start function may drop the last handles of what is instantiated") {
  auto handles = std::make_unique<Handles>();
  handles->engine.emplace();
  handles->linker.emplace(*handles->engine);
  handles->linker->define("", "h", [h = handles.get()] { h->drop(); });
  handles->module = load(*handles->engine, R"((module (import "" "h" (func $h)) (start $h)
    (func (export "f") (result i32) (i32.const 5))))");
  handles->store.emplace(*handles->engine);
  const Instance instance = must(handles->linker->instantiate(*handles->store, *handles->module));
  CHECK_FALSE(handles->store);
  CHECK(must(must(instance.function<std::int32_t()>("f"))()) == 5);
}

TEST_CASE("A guest whose handles were dropped can still be interrupted") {
  auto handles = std::make_unique<Handles>();
  handles->engine.emplace();
  handles->linker.emplace(*handles->engine);
  handles->store.emplace(*handles->engine);
  const Interrupter interrupter = handles->store->interrupter();
  handles->linker->define("", "h", [&, h = handles.get()](std::int32_t n) {
    h->drop();
    interrupter.interrupt();
    return n;
  });
  handles->module = load(*handles->engine, R"((module (import "" "h" (func $h (param i32) (result i32)))
    (func (export "f") (param i32) (result i32) (call $h (local.get 0)) (loop (br 0)))))");
  handles->instance = must(handles->linker->instantiate(*handles->store, *handles->module));
  handles->typed = must(handles->instance->function<std::int32_t(std::int32_t)>("f"));
  const auto result = (*handles->typed)(4);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::interrupted);
}
