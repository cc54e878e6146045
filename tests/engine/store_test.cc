// Stores: limits, deadlines, interruption, lifetimes, and the objects that hosts make.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "engine/fixture.h"
#include "support/module_builder.h"

using namespace wasi;
using namespace wasi::test;

namespace {
constexpr std::string_view kForever = R"((module (func (export "run") (loop $l (br $l))) (func (export "f"))))";
}

TEST_CASE("Memories of a store share its limit") {
  const Engine engine;
  Store store(engine, {.memory_limit = 3 * kPageSize});
  const Module module = load(
      engine,
      R"((module (memory (export "m") 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))))");
  const Linker linker(engine);
  const Instance first = must(linker.instantiate(store, module));
  const auto grow = must(first.function<std::int32_t(std::int32_t)>("grow"));
  CHECK(must(grow(3)) == -1);
  CHECK(must(grow(1)) == 1);
  const Instance second = must(linker.instantiate(store, module));
  CHECK(must(grow(1)) == -1);
  const auto third = linker.instantiate(store, module);
  REQUIRE_FALSE(third);
  REQUIRE(third.error().error() != nullptr);
  CHECK(third.error().error()->kind == ErrorKind::limit);
  CHECK_THAT(third.error().to_string(), Catch::Contains("memory"));
}

TEST_CASE("A memory shows nothing of those that were there before") {
  const Engine engine;
  const Linker linker(engine);
  const Module module = load(engine, R"((module
    (memory (export "m") 2)
    (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 170) (local.get 0)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))))");
  const auto is_zero = [](std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
  };
  // Each round leaves a larger memory behind than the one before, full of something.
  for (const std::int32_t more : {0, 1, 5, 40, 2000, 0}) {
    Store store(engine);
    const Instance instance = must(linker.instantiate(store, module));
    Memory memory = must(instance.memory("m"));
    CHECK(memory.pages() == 2);
    CHECK(is_zero(memory.bytes()));
    const auto end = static_cast<std::int32_t>(memory.size());
    const auto beyond = must(instance.function<std::int32_t(std::int32_t)>("load"))(end);
    REQUIRE_FALSE(beyond);
    CHECK(beyond.error().code == TrapCode::memory_out_of_bounds);
    CHECK(must(must(instance.function<std::int32_t(std::int32_t)>("grow"))(more)) == 2);
    CHECK(is_zero(memory.bytes()));
    must(must(instance.function<void(std::int32_t)>("fill"))(static_cast<std::int32_t>(memory.size())));
  }
}

TEST_CASE("Tables have limits") {
  const Engine engine;
  Store store(engine, {.table_limit = 10});
  const Linker linker(engine);
  const Module module = load(engine, R"((module (table 4 funcref)
    (func (export "grow") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))))");
  const auto grow = must(must(linker.instantiate(store, module)).function<std::int32_t(std::int32_t)>("grow"));
  CHECK(must(grow(7)) == -1);
  CHECK(must(grow(6)) == 4);
  const auto large = linker.instantiate(store, load(engine, "(module (table 11 funcref))"));
  REQUIRE_FALSE(large);
  REQUIRE(large.error().error() != nullptr);
  CHECK(large.error().error()->kind == ErrorKind::limit);
}

TEST_CASE("Memories and tables of impossible types are refused") {
  const Engine engine;
  Store store(engine);
  const auto refusal = [](const auto& made) {
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::argument);
    return made.error().message;
  };
  const Value null = Value::zero_of(ValueType::funcref());
  CHECK(refusal(Memory::create(store, {.limits = {5, 3}})) ==
        "a memory cannot have a minimum of 5 and a maximum of 3 pages");
  CHECK_THAT(refusal(Memory::create(store, {.limits = {1, std::nullopt}, .is_64 = false, .is_shared = true})),
             Catch::Contains("needs a maximum to be shared"));
  CHECK(refusal(Memory::create(store, {.limits = {1, 65537}})) ==
        "a memory cannot have 65537 pages: its addresses reach 65536");
  CHECK(refusal(Memory::create(store, {.limits = {65537, std::nullopt}})) ==
        "a memory cannot have 65537 pages: its addresses reach 65536");
  CHECK_THAT(refusal(SharedMemory::create(engine, {.limits = {5, 3}, .is_64 = false, .is_shared = true})),
             Catch::Contains("a maximum of 3 pages"));
  CHECK(refusal(Table::create(store, {.limits = {5, 3}}, null)) ==
        "a table cannot have a minimum of 5 and a maximum of 3 elements");
  CHECK_THAT(refusal(Table::create(store, {.limits = {0, std::uint64_t{1} << 32}}, null)),
             Catch::Contains("its addresses reach 4294967295"));
  CHECK(Table::create(store, {.limits = {0, UINT64_MAX}, .is_64 = true}, null));
  CHECK(Memory::create(store, {.limits = {0, 65536}}));
}

// Bits that are no type of an engine that has loaded nothing: no kind, numbers and vectors with more bits, abstract
// heap types that do not exist, types of modules, members of groups.
std::vector<ValueType> no_types() {
  std::vector<ValueType> types;
  for (const std::uint32_t bits : {0x0U, 0x8U, 0x9U, 0x80000002U, 0xDU, 0x1006U, 0x1007U, 0x3FFFFFFFU, 0x7FFFFFFFU,
                                   0x80000007U, 0x80000067U, 0xFFFFFFFEU, 0xFFFFFFFFU}) {
    types.push_back(ValueType::from_bits(bits));
  }
  return types;
}

TEST_CASE("Types made of bits that are none are refused by whatever takes a type") {
  const Engine engine;
  Store store(engine);
  for (const ValueType type : no_types()) {
    INFO(std::hex << type.bits() << " " << type.to_string());
    const auto check = [](const auto& made) {
      REQUIRE_FALSE(made);
      CHECK(made.error().kind == ErrorKind::argument);
      CHECK_THAT(made.error().message, Catch::Contains("no value type of this engine"));
    };
    const Value zero = Value::zero_of(type);
    CHECK_FALSE(zero.to_string().empty());
    check(Global::create(store, {type, true}, zero));
    check(Global::create(store, {type, false}, std::int32_t{0}));
    check(Table::create(store, {.element = type, .limits = {1, 1}}, zero));
    check(Table::create(store, {.element = type}, Value::zero_of(ValueType::funcref())));
    check(Tag::create(store, std::vector{ValueType::i32(), type}));
  }
}

TEST_CASE("Values of types that are none fit nowhere") {
  const Engine engine;
  Store store(engine);
  const Global global = must(Global::create(store, {ValueType::anyref(), true}, Value::zero_of(ValueType::anyref())));
  const Table table = must(Table::create(store, {.limits = {1, 2}}, Value::zero_of(ValueType::funcref())));
  const Tag tag = must(Tag::create(store, std::vector{ValueType::funcref()}));
  const auto instance = must(Linker(engine).instantiate(
      store, load(engine, R"((module (func (export "f") (param funcref)) (func (export "g") (param i32))))")));
  for (const ValueType type : no_types()) {
    INFO(std::hex << type.bits());
    const Value zero = Value::zero_of(type);
    CHECK_FALSE(Global::create(store, {ValueType::anyref(), true}, zero));
    CHECK_FALSE(Table::create(store, {.limits = {1, 2}}, zero));
    CHECK_FALSE(global.set(zero));
    CHECK_FALSE(table.set(0, zero));
    CHECK_FALSE(table.grow(1, zero));
    CHECK_FALSE(Exception::create(tag, std::vector{zero}));
    CHECK_FALSE(must(instance.func("f")).call(std::vector{zero}));
    CHECK_FALSE(must(instance.func("g")).call(std::vector{zero}));
    CHECK_FALSE(Function::from_value(store, zero));
  }
}

TEST_CASE("A type of an engine is one, and the numbers behind the last are none") {
  const Engine engine;
  Store store(engine);
  // (module (type $t (struct)) (global (export "g") (ref null $t) (ref.null $t))), which wabt does not write
  const Bytes bytes =
      module({section(kTypeSection, hex("01 5f 00")), section(kGlobalSection, hex("01 63 00 00 d0 00 0b")),
              section(kExportSection, vec({join(name("g"), hex("03 00"))}))});
  const auto instance = must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, bytes))));
  const ValueType known = must(instance.global("g")).type().type;
  CHECK(Global::create(store, {known, true}, Value::zero_of(known)));
  // Numbers of types follow each other, above the three bits of the kind.
  const ValueType next = ValueType::from_bits(known.bits() + (100U << 3));
  CHECK_FALSE(Global::create(store, {next, true}, Value::zero_of(next)));
}

TEST_CASE("A thread that was made with faults blocked gets a trap, not a dead process") {
  const Engine engine;
  const Module module =
      load(engine, R"((module (memory 1) (func (export "f") (result i32) (i32.load (i32.const -4)))))");
  sigset_t faults;
  sigset_t before;
  sigemptyset(&faults);
  sigaddset(&faults, SIGSEGV);
  sigaddset(&faults, SIGBUS);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &faults, &before) == 0);
  std::optional<TrapCode> code;
  std::thread([&] {
    Store store(engine);
    const auto result = must(must(Linker(engine).instantiate(store, module)).function<std::int32_t()>("f"))();
    if (!result) code = result.error().code;
  }).join();
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  CHECK(code == TrapCode::memory_out_of_bounds);
}

TEST_CASE("Tables count for the limit of memory") {
  const Engine engine;
  Store store(engine, {.memory_limit = 2 * kPageSize});
  const Linker linker(engine);
  const Module module = load(engine, R"((module (table 8192 funcref) (memory 0)
    (func (export "elements") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))
    (func (export "pages") (param i32) (result i32) (memory.grow (local.get 0)))))");
  const Instance instance = must(linker.instantiate(store, module));
  const auto elements = must(instance.function<std::int32_t(std::int32_t)>("elements"));
  const auto pages = must(instance.function<std::int32_t(std::int32_t)>("pages"));
  // One page's worth is taken: another one is there for either kind, and what does not fit takes nothing.
  CHECK(must(elements(8193)) == -1);
  CHECK(must(pages(2)) == -1);
  CHECK(must(elements(8192)) == 8192);
  CHECK(must(elements(1)) == -1);
  CHECK(must(pages(1)) == -1);
  const auto second = linker.instantiate(store, module);
  REQUIRE_FALSE(second);
  REQUIRE(second.error().error() != nullptr);
  CHECK(second.error().error()->kind == ErrorKind::limit);
  CHECK_THAT(second.error().to_string(), Catch::Contains("a table of 8192 elements"));
}

TEST_CASE("Instances have a limit") {
  const Engine engine;
  Store store(engine, {.instance_limit = 2});
  const Linker linker(engine);
  const Module module = load(engine, "(module)");
  must(linker.instantiate(store, module));
  must(linker.instantiate(store, module));
  const auto third = linker.instantiate(store, module);
  REQUIRE_FALSE(third);
  REQUIRE(third.error().error() != nullptr);
  CHECK(third.error().error()->kind == ErrorKind::limit);
  CHECK(third.error().to_string() == "the store's limit of 2 instances is reached");
}

TEST_CASE("A deadline stops the guest, and can be lifted") {
  const Engine engine;
  Store store(engine, {.deadline = std::chrono::milliseconds(20)});
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, kForever)));
  const auto run = must(instance.function<void()>("run"));
  const auto result = run();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::deadline_exceeded);
  CHECK(result.error().message == "deadline exceeded");
  REQUIRE_FALSE(run());
  store.set_deadline(std::nullopt);
  must(must(instance.function<void()>("f"))());
}

TEST_CASE("Another thread interrupts") {
  const Engine engine;
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, kForever)));
  std::thread other([interrupter = store.interrupter()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    interrupter.interrupt();
  });
  const auto result = must(instance.function<void()>("run"))();
  other.join();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::interrupted);
}

TEST_CASE("An interrupter may outlive its store") {
  const Engine engine;
  auto store = std::make_unique<Store>(engine);
  const Interrupter interrupter = store->interrupter();
  store.reset();
  interrupter.interrupt();
}

TEST_CASE("Handles keep their store, module and engine alive") {
  const auto make = [] {
    const Engine engine;
    Store store(engine);
    Linker linker(engine);
    linker.define("env", "f", [value = std::make_shared<int>(6)] { return *value; });
    const Instance instance = must(linker.instantiate(store, load(engine, R"(
      (module (import "env" "f" (func $f (result i32))) (memory (export "m") 1)
        (func (export "run") (result i32) (i32.mul (call $f) (i32.const 7)))))")));
    return std::pair(must(instance.function<std::int32_t()>("run")), must(instance.memory("m")));
  };
  const auto [run, memory] = make();
  CHECK(must(run()) == 42);
  CHECK(memory.pages() == 1);
}

TEST_CASE("Memory is read and written within its bounds") {
  const Engine engine;
  Store store(engine);
  Memory memory = must(Memory::create(store, {.limits = {1, 2}}));
  CHECK(memory.type().to_string() == "1 2");
  CHECK(memory.size() == kPageSize);
  CHECK(memory.write(kPageSize - 4, 0x01020304U));
  CHECK_FALSE(memory.write(kPageSize - 3, 0x05060708U));
  CHECK(memory.read<std::uint8_t>(kPageSize - 4) == 4);
  CHECK(memory.read<std::uint32_t>(kPageSize - 3) == std::nullopt);
  CHECK(memory.read<std::uint8_t>(UINT64_MAX) == std::nullopt);
  CHECK(memory.range(kPageSize, 0).has_value());
  CHECK_FALSE(memory.range(kPageSize + 1, 0).has_value());
  CHECK_FALSE(memory.range(1, UINT64_MAX).has_value());
  CHECK(memory.grow(1) == 1);
  CHECK(memory.grow(1) == std::nullopt);
  CHECK(memory.pages() == 2);
  CHECK(memory.read<std::uint32_t>(kPageSize - 4) == 0x01020304U);
}

TEST_CASE("Memories of single bytes are the host's, too") {
  const Engine engine;
  Store store(engine, {.memory_limit = 100});
  Memory memory = must(Memory::create(store, {.limits = {10, 200}, .page_size = 1}));
  CHECK(memory.type().to_string() == "10 200 (pagesize 1)");
  CHECK(memory.size() == 10);
  CHECK(memory.pages() == 10);
  CHECK(memory.write<std::uint8_t>(9, 7));
  CHECK_FALSE(memory.write<std::uint8_t>(10, 7));
  CHECK(memory.grow(90) == 10);
  CHECK(memory.grow(1) == std::nullopt);
  CHECK(memory.read<std::uint8_t>(9) == 7);
  for (const std::uint64_t size : {0U, 2U, 3U, 4096U, 131072U}) {
    const auto refused = Memory::create(store, {.limits = {0, 1}, .page_size = size});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::argument);
    CHECK(refused.error().message == "the pages of a memory have 1 or 65536 bytes, not another number");
  }
  // A guest's import says the size, too.
  Linker linker(engine);
  linker.define("host", "memory", memory);
  const auto wrong = linker.instantiate(store, load(engine, R"((module (import "host" "memory" (memory 0))))"));
  REQUIRE_FALSE(wrong);
  REQUIRE(wrong.error().error() != nullptr);
  CHECK(wrong.error().error()->message.find("expected memory 0, found memory 100 200 (pagesize 1)") !=
        std::string::npos);
  // wabt does not know the size.
  constexpr std::string_view kImport = R"((module (import "host" "memory" (memory 0 (pagesize 1)))))";
  const std::vector<std::uint8_t> text(kImport.begin(), kImport.end());
  CHECK(linker.instantiate(store, must(Module::from_bytes(engine, text))));
}

TEST_CASE("Globals hold values of their type") {
  const Engine engine;
  Store store(engine);
  const Global global = must(Global::create(store, {ValueType::f32(), true}, 1.5F));
  CHECK(global.get() == Value(1.5F));
  must(global.set(2.5F));
  CHECK(global.get() == Value(2.5F));
  CHECK(global.set(2.5).error().message == "a global of type f32 cannot hold a value of type f64");
  const Global constant = must(Global::create(store, {ValueType::i32(), false}, std::int32_t{1}));
  CHECK(constant.set(std::int32_t{2}).error().message == "the global is constant");
  CHECK_FALSE(Global::create(store, {ValueType::i32(), false}, std::int64_t{1}));
}

TEST_CASE("Tables hold references of their type") {
  const Engine engine;
  Store store(engine);
  int object = 0;
  const Table table = must(Table::create(store, {.element = ValueType::externref(), .limits = {2, 4}}, ExternRef{}));
  CHECK(table.size() == 2);
  CHECK(table.get(1)->is_null());
  CHECK(table.get(2) == std::nullopt);
  must(table.set(1, ExternRef{&object}));
  CHECK(table.get(1) == Value(ExternRef{&object}));
  CHECK(table.set(2, ExternRef{}).error().message == "index 2 is outside of the table, which has 2 elements");
  CHECK(table.set(0, std::int32_t{1}).error().message == "a table of externref cannot hold a value of type i32");
  CHECK(table.grow(2, ExternRef{&object}) == 2);
  CHECK(table.get(3) == Value(ExternRef{&object}));
  CHECK(table.grow(1, ExternRef{}) == std::nullopt);
  CHECK_FALSE(Table::create(store, {.element = ValueType::i32()}, std::int32_t{0}));
}

TEST_CASE("Functions go into tables and come out again") {
  const Engine engine;
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, R"(
    (module (table (export "t") 1 funcref) (func (export "f") (result i32) (i32.const 9))
      (func (export "run") (result i32) (call_indirect (result i32) (i32.const 0)))))")));
  const Table table = must(instance.table("t"));
  must(table.set(0, must(instance.func("f")).to_value()));
  CHECK(must(must(instance.function<int()>("run"))()) == 9);
  const auto function = Function::from_value(store, *table.get(0));
  REQUIRE(function);
  CHECK(must(must(function->typed<int()>())()) == 9);
  CHECK_FALSE(Function::from_value(store, Value::zero_of(ValueType::funcref())));
  CHECK_FALSE(Function::from_value(store, std::int64_t{1}));
}
