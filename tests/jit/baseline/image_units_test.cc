// Code of a module that is bound from an image, a unit at a time: of one function, or of several that were compiled
// together; while others have code already, and while they run in the interpreter.
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "binary/decoder.h"
#include "interp/interpreter.h"
#include "jit/baseline/baseline_tier.h"
#include "jit/baseline/compile.h"
#include "jit/common/code_image.h"
#include "jit/common/native_module.h"
#include "runtime/code_map.h"
#include "runtime/instance.h"
#include "runtime/store.h"
#include "text/text.h"
#include "validate/validator.h"

namespace wasi::jit::baseline {
namespace {

using runtime::BoundsChecks;
using runtime::FunctionCode;
using runtime::ModuleCode;

constexpr std::string_view kText = R"((module
  (func $one (export "one") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
  (func $two (export "two") (param i64) (result i64) (i64.mul (call $one (local.get 0)) (i64.const 2)))
  (func $three (export "three") (param i64) (result i64)
    (i64.div_u (call $two (local.get 0)) (i64.sub (local.get 0) (i64.const 7))))))";

constexpr std::string_view kBuild = "test";

std::shared_ptr<wasm::Module> decode(const std::shared_ptr<wasm::TypeRegistry>& registry) {
  auto bytes = std::make_shared<const std::vector<std::uint8_t>>(text::encode_module(kText).value());
  auto module = binary::decode_module({*bytes, bytes}, registry).value();
  REQUIRE(validate::validate_module(*module).has_value());
  return module;
}

// An engine's part of it: functions are in the interpreter until they are compiled or bound.
struct World {
  explicit World(CodeSpaceOptions options = {}) : space(std::move(options)) {
    for (std::size_t mode = 0; mode < code.size(); ++mode) {
      code[mode] = std::make_shared<ModuleCode>(module, tier, static_cast<BoundsChecks>(mode), false);
    }
    instance = *store.instantiate(code, {});
  }
  NativeModule& native() { return static_cast<NativeTierModule&>(*code[0]->tier_module).native; }
  FunctionCode& function(std::uint32_t index) { return code[0]->code(wasm::FuncIndex(index)); }
  bool has_code(std::uint32_t index) { return function(index).native_code.load() != nullptr; }
  std::expected<std::uint64_t, Trap> call(std::string_view name, std::uint64_t argument) {
    std::vector<runtime::Slot> slots(1);
    slots[0].u64 = argument;
    const auto done = store.call(*instance->find_export(name)->func, slots);
    if (!done) return std::unexpected(done.error());
    return slots[0].u64;
  }
  void compile(std::uint32_t index) {
    runtime::Preparation unbounded;
    REQUIRE(tier.compile_function(*code[0], function(index), unbounded).has_value());
  }

  CodeSpace space;
  BaselineTier tier{space, interp::make_interpreter(), &baseline::compile, {.compiles_at_first_call = false}};
  std::shared_ptr<wasm::TypeRegistry> registry = std::make_shared<wasm::TypeRegistry>();
  std::shared_ptr<wasm::Module> module = decode(registry);
  std::array<std::shared_ptr<ModuleCode>, runtime::kBoundsCheckModes> code;
  runtime::Store store{registry, {}};
  runtime::Instance* instance = nullptr;
};

// Units of these functions each, as one compiler or another could have made them.
std::shared_ptr<const CodeImage> image_of(const std::vector<std::vector<std::uint32_t>>& groups) {
  World world;
  for (std::uint32_t i = 0; i < 3; ++i) world.compile(i);
  const std::vector<UnitImage> single = world.native().units();
  REQUIRE(single.size() == 3);
  std::vector<std::unique_ptr<std::vector<std::uint8_t>>> codes;
  std::vector<UnitImage> units;
  for (const auto& group : groups) {
    auto& bytes = *codes.emplace_back(std::make_unique<std::vector<std::uint8_t>>());
    UnitImage& unit = units.emplace_back();
    for (const std::uint32_t index : group) {
      FunctionImage function = single[index].functions.at(0);
      REQUIRE(function.function == index);
      bytes.resize((bytes.size() + 15) / 16 * 16, 0xCC);
      function.begin = static_cast<std::uint32_t>(bytes.size());
      bytes.insert(bytes.end(), single[index].code.begin(), single[index].code.end());
      unit.functions.push_back(std::move(function));
    }
    unit.code = bytes;
  }
  auto written = std::make_shared<const std::vector<std::uint8_t>>(write_code_image(
      {.build = kBuild, .target = {}, .features = {}, .module = world.module.get(), .units = std::move(units)}));
  return CodeImage::read(*written, written, kBuild).value();
}

void check_results(World& world) {
  CHECK(world.call("one", 5) == 6U);
  CHECK(world.call("two", 5) == 12U);
  CHECK(world.call("three", 8) == 18U);
  const auto trapped = world.call("three", 7);
  REQUIRE_FALSE(trapped.has_value());
  CHECK(trapped.error().code == TrapCode::integer_divide_by_zero);
  REQUIRE(trapped.error().backtrace.size() == 1);
  CHECK(trapped.error().backtrace[0].function_index == 2);
}

TEST_CASE("a unit is bound as a whole when one of its functions is called") {
  const auto image = image_of({{0}, {1, 2}});
  World world;
  world.native().attach(image);
  CHECK(world.call("one", 1) == 2U);
  CHECK(world.has_code(0));
  CHECK_FALSE(world.has_code(1));
  CHECK(world.call("two", 1) == 4U);
  CHECK(world.has_code(1));
  CHECK(world.has_code(2));
  check_results(world);
  CHECK(world.native().counts().compiled == 0);
  CHECK(world.native().counts().bound == 3);
  // In one piece.
  const auto* first = reinterpret_cast<const std::uint8_t*>(world.function(1).native_entry.load());
  const auto* second = reinterpret_cast<const std::uint8_t*>(world.function(2).native_entry.load());
  CHECK(second > first);
  CHECK(second - first < 4096);
  const auto location = runtime::code_map().find(reinterpret_cast<std::uintptr_t>(second));
  REQUIRE(location.has_value());
  CHECK(location->function == 2);
  CHECK(world.native().units().size() == 2);
}

TEST_CASE("functions that have code keep it when their unit is bound, and units of such are not kept twice") {
  const auto image = image_of({{0}, {1, 2}});
  World world;
  world.compile(0);
  world.compile(1);
  const void* const own = world.function(1).native_entry.load();
  world.native().attach(image);
  check_results(world);
  CHECK(world.function(1).native_entry.load() == own);
  CHECK(world.has_code(2));
  CHECK(world.native().counts().compiled == 2);
  CHECK(world.native().counts().bound == 1);
  const std::vector<UnitImage> units = world.native().units();
  REQUIRE(units.size() == 3);
  CHECK(units[2].functions.size() == 2);
}

TEST_CASE("functions that are interpreted get their code when it comes") {
  const auto image = image_of({{0, 1, 2}});
  World world;
  check_results(world);
  CHECK_FALSE(world.has_code(0));
  world.native().attach(image);
  CHECK_FALSE(world.has_code(0));
  world.native().bind_running();
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(world.has_code(i));
  check_results(world);
}

TEST_CASE("what of an image nobody has called is its own still") {
  const auto image = image_of({{0}, {1}, {2}});
  World world;
  world.native().attach(image);
  CHECK(world.call("one", 1) == 2U);
  const std::vector<UnitImage> units = world.native().units();
  REQUIRE(units.size() == 3);
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(units[i].functions.at(0).function == i);
  CHECK_FALSE(world.has_code(1));
}

}  // namespace
}  // namespace wasi::jit::baseline
