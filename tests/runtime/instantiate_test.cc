// Instantiation: import matching and its messages, constant expressions, segments, start functions, limits.
#include <catch2/catch.hpp>

#include "fake_tier.h"
#include "runtime/import_match.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::kF32, wasm::kI32, wasm::kI64, wasm::kFuncRef, wasm::kExternRef;

wasm::Limits limits(std::uint64_t min, std::optional<std::uint64_t> max = std::nullopt) {
  return {.min = min, .max = max};
}

TEST_CASE("a missing import is named with its type", "[link]") {
  World world;
  CHECK(world.instantiation_error(R"((module (import "env" "log" (func (param i32 i64) (result f32)))))") ==
        "unlinkable: unknown import: env.log was not provided, expected function (i32, i64) -> (f32)");
  CHECK(world.instantiation_error(R"((module (import "a" "b" (memory 1 2))))") ==
        "unlinkable: unknown import: a.b was not provided, expected memory 1 2");
  CHECK(world.instantiation_error(R"((module (import "a" "b" (table 3 externref))))") ==
        "unlinkable: unknown import: a.b was not provided, expected table 3 externref");
  CHECK(world.instantiation_error(R"((module (import "a" "b" (global (mut i64)))))", {External()}) ==
        "unlinkable: unknown import: a.b was not provided, expected global (mut i64)");
}

TEST_CASE("an import of another kind or type names what was expected and what was found", "[link]") {
  World world;
  HostFunction* function = world.host_function({kI32}, {kI64}, nullptr);
  Global* global = world.store->add_global({.type = kI32, .is_mutable = false}, {});
  Global* variable = world.store->add_global({.type = kI32, .is_mutable = true}, {});
  Table* table = *world.store->add_table({.element = kFuncRef, .limits = limits(5, 10)}, nullptr);
  Memory* memory = *world.store->add_memory({.limits = limits(2, 4)});
  const auto error = [&](const std::string& import, External external) {
    const std::string text = world.instantiation_error("(module (import \"m\" \"x\" " + import + "))", {external});
    const std::string prefix = "unlinkable: incompatible import type: m.x: ";
    REQUIRE(text.starts_with(prefix));
    return text.substr(prefix.size());
  };
  CHECK(error("(func)", External(&function->ref)) == "expected function () -> (), found function (i32) -> (i64)");
  CHECK(error("(func (param i32))", External(global)) == "expected function (i32) -> (), found global i32");
  CHECK(error("(global i64)", External(global)) == "expected global i64, found global i32");
  CHECK(error("(global (mut i32))", External(global)) == "expected global (mut i32), found global i32");
  CHECK(error("(global i32)", External(variable)) == "expected global i32, found global (mut i32)");
  CHECK(error("(memory 1)", External(table)) == "expected memory 1, found table 5 10 funcref");
  CHECK(error("(table 6 funcref)", External(table)) == "expected table 6 funcref, found table 5 10 funcref");
  CHECK(error("(table 5 9 funcref)", External(table)) == "expected table 5 9 funcref, found table 5 10 funcref");
  CHECK(error("(table 5 externref)", External(table)) == "expected table 5 externref, found table 5 10 funcref");
  CHECK(error("(memory 3)", External(memory)) == "expected memory 3, found memory 2 4");
  CHECK(error("(memory 0 3)", External(memory)) == "expected memory 0 3, found memory 2 4");
  CHECK(error("(table 0 funcref)", External(memory)) == "expected table 0 funcref, found memory 2 4");
}

TEST_CASE("imports that match are taken", "[link]") {
  World world;
  HostFunction* function = world.host_function({kI32}, {kI64}, nullptr);
  Global* global = world.store->add_global({.type = kI32, .is_mutable = true}, {.u64 = 3});
  Table* table = *world.store->add_table({.element = kFuncRef, .limits = limits(5, 10)}, nullptr);
  Memory* memory = *world.store->add_memory({.limits = limits(2, 4)});
  Instance& instance =
      world.instantiate(R"((module
      (import "m" "f" (func (param i32) (result i64))) (import "m" "g" (global (mut i32)))
      (import "m" "t" (table 5 funcref)) (import "m" "m" (memory 1 4))
      (export "f" (func 0)) (export "g" (global 0)) (export "t" (table 0)) (export "m" (memory 0))))",
                        {External(&function->ref), External(global), External(table), External(memory)});
  CHECK(instance.find_export("f")->func == &function->ref);
  CHECK(instance.find_export("g")->global == global);
  CHECK(instance.find_export("t")->table == table);
  CHECK(instance.find_export("m")->memory == memory);
  CHECK(instance.vm.imported_functions[0] == &function->ref);
  CHECK(instance.vm.globals[0] == global->cell);
  CHECK(instance.vm.tables[0] == &table->view);
  CHECK(instance.vm.memories[0] == memory->view());
}

TEST_CASE("a memory or table matches with its present size", "[link]") {
  World world;
  Memory* memory = *world.store->add_memory({.limits = limits(1, 4)});
  Table* table = *world.store->add_table({.element = kFuncRef, .limits = limits(1)}, nullptr);
  REQUIRE(memory->grow(2) == 1);
  REQUIRE(table->grow(6, nullptr) == 1);
  world.instantiate(R"((module (import "m" "x" (memory 3))))", {External(memory)});
  world.instantiate(R"((module (import "m" "x" (table 7 funcref))))", {External(table)});
  CHECK(world.instantiation_error(R"((module (import "m" "x" (memory 4))))", {External(memory)}) ==
        "unlinkable: incompatible import type: m.x: expected memory 4, found memory 3 4");
}

TEST_CASE("globals are initialised in order by constant expressions", "[instantiate]") {
  World world;
  Global* base = world.store->add_global({.type = kI32, .is_mutable = false}, {.u64 = 0xFFFFFFFF00000005});
  Instance& instance = world.instantiate(R"((module (import "m" "base" (global i32))
      (func $f nop)
      (global (export "sum") i32 (i32.add (i32.mul (global.get 0) (i32.const 10)) (i32.const -1)))
      (global (export "wrap") i64 (i64.sub (i64.const 0) (i64.const 1)))
      (global (export "f32") f32 (f32.const -nan:0x200001))
      (global (export "f64") f64 (f64.const 0x1p-1074))
      (global (export "null") externref (ref.null extern))
      (global (export "f") funcref (ref.func $f))))",
                                         {External(base)});
  const auto value = [&](std::string_view name) { return instance.find_export(name)->global->cell[0]; };
  CHECK(value("sum").u32 == 49);
  CHECK(value("wrap").u64 == UINT64_MAX);
  CHECK(value("f32").u32 == 0xFFA00001);
  CHECK(value("f64").u64 == 1);
  CHECK(value("null").ref == nullptr);
  CHECK(value("f").ref == instance.func_ref(wasm::FuncIndex(0)));
}

TEST_CASE("active segments are written, the others wait", "[instantiate]") {
  World world;
  Global* offset = world.store->add_global({.type = kI32, .is_mutable = false}, {.u64 = 0xFFFFFFFF00000010});
  Instance& instance = world.instantiate(R"((module (import "m" "offset" (global i32))
      (memory 1) (table 10 funcref) (func $f nop) (func $g nop)
      (data (global.get 0) "abc") (data $passive "xyz")
      (elem (i32.const 2) $f $g) (elem $e funcref (ref.func $g) (ref.null func) (ref.func $f))
      (elem declare func $f)))",
                                         {External(offset)});
  Memory& memory = *instance.memory(0);
  CHECK(std::string(reinterpret_cast<const char*>(memory.bytes().data()) + 16, 3) == "abc");
  TableView& table = *instance.vm.tables[0];
  CHECK(table.elements[1] == nullptr);
  CHECK(table.elements[2] == instance.func_ref(wasm::FuncIndex(0)));
  CHECK(table.elements[3] == instance.func_ref(wasm::FuncIndex(1)));

  // memory.init: bounds of the segment, of the memory, a dropped segment.
  CHECK(instance.memory_init(0, 1, 65535, 1, 1));
  CHECK(memory.bytes()[65535] == 'y');
  CHECK_FALSE(instance.memory_init(0, 1, 65535, 1, 2));
  CHECK_FALSE(instance.memory_init(0, 1, 0, 2, 2));
  CHECK_FALSE(instance.memory_init(0, 1, 0, 4, 0));
  CHECK_FALSE(instance.memory_init(0, 1, 0, 0xFFFFFFFF, 2));
  CHECK(memory.bytes()[0] == 0);
  CHECK(instance.memory_init(0, 1, 65536, 3, 0));
  instance.drop_data(1);
  CHECK(instance.memory_init(0, 1, 0, 0, 0));
  CHECK_FALSE(instance.memory_init(0, 1, 0, 0, 1));
  // Active segments are dropped once they are written.
  CHECK_FALSE(instance.memory_init(0, 0, 0, 0, 1));

  CHECK(instance.table_init(0, 1, 7, 0, 3));
  CHECK(table.elements[7] == instance.func_ref(wasm::FuncIndex(1)));
  CHECK(table.elements[8] == nullptr);
  CHECK(table.elements[9] == instance.func_ref(wasm::FuncIndex(0)));
  CHECK_FALSE(instance.table_init(0, 1, 8, 0, 3));
  CHECK_FALSE(instance.table_init(0, 1, 0, 2, 2));
  CHECK_FALSE(instance.table_init(0, 0, 0, 0, 1));
  CHECK_FALSE(instance.table_init(0, 2, 0, 0, 1));
  instance.drop_element(1);
  CHECK_FALSE(instance.table_init(0, 1, 0, 0, 1));
  CHECK(instance.table_init(0, 1, 10, 0, 0));
}

TEST_CASE("a segment that does not fit traps, and what was written before stays", "[instantiate]") {
  World world;
  Memory* memory = *world.store->add_memory({.limits = limits(1)});
  Table* table = *world.store->add_table({.element = kFuncRef, .limits = limits(4)}, nullptr);
  CHECK(world.instantiation_trap(R"((module (import "m" "m" (memory 1)) (import "m" "t" (table 4 funcref))
      (func $f nop)
      (elem (i32.const 1) $f) (data (i32.const 0) "first") (data (i32.const 65534) "second")
      (data (i32.const 100) "third")))",
                                 {External(memory), External(table)}) ==
        "out of bounds memory access: data segment 1 of size 6 at 65534 does not fit into 65536");
  CHECK(std::string(reinterpret_cast<const char*>(memory->bytes().data()), 5) == "first");
  CHECK(memory->bytes()[65534] == 0);
  CHECK(memory->bytes()[100] == 0);
  REQUIRE(table->view.elements[1] != nullptr);
  CHECK(world.instantiation_trap(R"((module (import "m" "m" (memory 1)) (import "m" "t" (table 4 funcref))
      (func $f nop)
      (elem (i32.const 0) $f) (elem (i32.const 4) $f) (data (i32.const 10) "never")))",
                                 {External(memory), External(table)}) ==
        "out of bounds table access: element segment 1 of size 1 at 4 does not fit into 4");
  CHECK(table->view.elements[0] != nullptr);
  CHECK(memory->bytes()[10] == 0);
  CHECK(world.instantiation_trap(R"((module (memory 1) (data (i32.const -1) "")))")
            .starts_with("out of bounds memory access"));
}

TEST_CASE("the start function runs last and its trap is the instantiation's", "[instantiate]") {
  World world;
  world.tier.functions["start"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    const FakeFrame frame(instance, slots, self, 5);
    if (instance->memory0->base[0] != 'x') raise_trap(*instance->exec, TrapCode::unreachable);
    instance->memory0->base[1] = 'y';
  };
  Instance& instance = world.instantiate(R"((module (memory 1) (data (i32.const 0) "x") (func $start nop) (start 0)))");
  CHECK(instance.memory(0)->bytes()[1] == 'y');
  CHECK(world.instantiation_trap("(module (memory 1) (func $start nop) (start 0))") == "unreachable");
}

TEST_CASE("limits of instances and tables are errors that name them", "[instantiate]") {
  World world({.limits = {.table_elements = 100, .instances = 2}, .checks = BoundsChecks::guard_pages});
  CHECK(world.instantiation_error("(module (table 101 funcref))") ==
        "limit: a table of 101 elements exceeds the store's limit of 100");
  Instance& instance = world.instantiate("(module (table 99 funcref) (export \"t\" (table 0)))");
  Table& table = *instance.find_export("t")->table;
  CHECK(table.grow(2, nullptr) == -1);
  CHECK(table.grow(1, nullptr) == 99);
  CHECK(table.grow(UINT64_MAX, nullptr) == -1);
  CHECK(table.view.size == 100);
  CHECK(world.instantiation_error("(module)") == "limit: the store's limit of 2 instances is reached");
}

TEST_CASE("a table grows with a value and up to its maximum", "[table]") {
  World world;
  int value = 0;
  Table& table = **world.store->add_table({.element = kExternRef, .limits = limits(1, 3)}, &value);
  CHECK(table.view.elements[0] == &value);
  CHECK(table.grow(1, nullptr) == 1);
  CHECK(table.view.elements[1] == nullptr);
  CHECK(table.grow(2, &value) == -1);
  CHECK(table.grow(1, &value) == 2);
  CHECK(table.view.elements[2] == &value);
  CHECK(table.grow(0, nullptr) == 3);
}

TEST_CASE("a module of another engine is refused", "[instantiate]") {
  World world;
  World other;
  const World::Code code = other.compile("(module)");
  const auto result =
      world.store->instantiate(std::span<const std::shared_ptr<ModuleCode>, kBoundsCheckModes>(code), {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().error->message == "the module and the store belong to different engines");
}

}  // namespace
}  // namespace wasi::runtime
