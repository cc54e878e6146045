// Loops that do the same for several elements in each turn, as compilers unroll them, in optimised code: those that are
// rolled up, and those that look alike and must not be.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

struct Element {
  std::string_view type;
  std::string_view load;
  std::string_view store;
  std::string_view operation;
  int size;
};

constexpr Element kElements[] = {
    {"i32", "i32.load", "i32.store", "i32.add", 4},     {"i64", "i64.load", "i64.store", "i64.sub", 8},
    {"f64", "f64.load", "f64.store", "f64.mul", 8},     {"f32", "f32.load", "f32.store", "f32.add", 4},
    {"i32", "i32.load8_u", "i32.store8", "i32.add", 1}, {"i32", "i32.load16_s", "i32.store16", "i32.xor", 2},
};

// What is different from copies that are all alike.
enum class Shape : std::uint8_t {
  alike,
  with_sum,          // of what was loaded
  carried_to_store,  // what is stored is the sum so far
  loads_first,       // all loads before all stores
  one_other_operation,
  one_other_constant,
  one_other_place,
  last_is_used_behind,
  first_is_used_behind,
};
constexpr Shape kShapes[] = {Shape::alike,
                             Shape::with_sum,
                             Shape::carried_to_store,
                             Shape::loads_first,
                             Shape::one_other_operation,
                             Shape::one_other_constant,
                             Shape::one_other_place,
                             Shape::last_is_used_behind,
                             Shape::first_is_used_behind};

// run(to, from, count) makes `count` elements at `to` of those at `from`, `copies` of them in a turn.
std::string unrolled(const Element& element, int copies, Shape shape, bool goes_down) {
  const int step = goes_down ? -element.size : element.size;
  const auto place = [&](std::string_view pointer, int copy) {
    if (copy == 0) return fmt::format("(local.get {})", pointer);
    return fmt::format("(i32.add (local.get {}) (i32.const {}))", pointer, copy * step);
  };
  std::string body;
  std::string stores;
  for (int copy = 0; copy < copies; ++copy) {
    const bool is_other = copy == copies - 1;
    const std::string_view operation = is_other && shape == Shape::one_other_operation
                                           ? (element.type == "i32"   ? "i32.or"
                                              : element.type == "i64" ? "i64.or"
                                              : element.type == "f32" ? "f32.sub"
                                                                      : "f64.sub")
                                           : element.operation;
    const int constant = is_other && shape == Shape::one_other_constant ? 4 : 3;
    const int from = is_other && shape == Shape::one_other_place ? copy + 1 : copy;
    const std::string loaded = fmt::format("$loaded{}", copy);
    body += fmt::format("(local.set {} ({} {}))\n", loaded, element.load, place("$from", from));
    if (shape == Shape::with_sum || shape == Shape::carried_to_store) {
      body += fmt::format("(local.set $sum ({}.add (local.get $sum) (local.get {})))\n", element.type, loaded);
    }
    std::string& target = shape == Shape::loads_first ? stores : body;
    target += fmt::format("({} {} ({} (local.get {}) ({}.const {})))\n", element.store, place("$to", copy), operation,
                          shape == Shape::carried_to_store ? "$sum" : loaded, element.type, constant);
  }
  std::string locals;
  for (int copy = 0; copy < copies; ++copy) locals += fmt::format("(local $loaded{} {})", copy, element.type);
  const std::string result = shape == Shape::first_is_used_behind  ? "$loaded0"
                             : shape == Shape::last_is_used_behind ? fmt::format("$loaded{}", copies - 1)
                                                                   : "$sum";
  return fmt::format(R"((module
    (memory (export "memory") 1)
    (func (export "run") (param $to i32) (param $from i32) (param $count i32) (result {0})
        (local $i i32) (local $sum {0}) {1}
      (loop $again
        {2}
        {3}
        (local.set $to (i32.add (local.get $to) (i32.const {4})))
        (local.set $from (i32.add (local.get $from) (i32.const {4})))
        (br_if $again (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const {5})))
                              (local.get $count))))
      (local.get {6}))
  ))",
                     element.type, locals, body, stores, copies * step, copies, result);
}

// Whatever the type, what run() gives, and what the memory holds afterwards.
std::string outcome_of(const Engine& engine, const Module& module, std::uint32_t to, std::uint32_t from, int count) {
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  const Memory memory = *instance.memory("memory");
  const std::span<std::uint8_t> bytes = memory.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // Numbers of every type, none of which is NaN.
    bytes[i] = static_cast<std::uint8_t>(i % 4 == 3 ? 0x3f : i * 7 + i / 256 * 3);
  }
  const std::vector<Value> args = {static_cast<std::int32_t>(to), static_cast<std::int32_t>(from), count};
  const auto result = must(instance.func("run")).call(args);
  if (!result) return fmt::format("trap:{}", static_cast<int>(result.error().code));
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : bytes) sum = (sum ^ byte) * 0x100000001b3;
  return fmt::format("{} {:x}", result->front().to_string(), sum);
}

}  // namespace

TEST_CASE("Unrolled loops give what they gave, whether they are rolled up again or only look as if they could be") {
  const auto& known = tiers();
  if (std::ranges::find(known, TierSelection::optimising) == known.end()) return;
  const Engine interpreter = must(Engine::create({.tier = TierSelection::interpreter}));
  const Engine optimising = must(Engine::create({.tier = TierSelection::optimising}));
  int trapped = 0;
  for (const Element& element : kElements) {
    for (const int copies : {2, 4, 8}) {
      for (const Shape shape : kShapes) {
        const bool goes_down = copies == 4 && element.size >= 4;
        const std::string text = unrolled(element, copies, shape, goes_down);
        CAPTURE(text);
        const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
        const Module one = must(Module::from_bytes(interpreter, bytes));
        const Module other = must(Module::from_bytes(optimising, bytes));
        const auto compare = [&](std::uint32_t to, std::uint32_t from, int turns) {
          CAPTURE(to, from, turns);
          const std::string expected = outcome_of(interpreter, one, to, from, turns * copies);
          CHECK(outcome_of(optimising, other, to, from, turns * copies) == expected);
          if (expected.starts_with("trap")) ++trapped;
        };
        // Apart, and over each other by some elements in either direction.
        compare(16384, 40000, 100);
        compare(16384, 40000, 1);
        for (const int apart : {0, 1, 2, 3, 9, -1, -2, -7}) {
          compare(30000, static_cast<std::uint32_t>(30000 + apart * element.size), 41);
        }
        compare(30001, 40003, 33);
        // Over the end of the memory, and of all addresses.
        compare(60000, 20000, 4000);
        compare(0xffffff00U, 20000, 64);
        compare(20000, 0U, 2000);
      }
    }
  }
  CHECK(trapped > 300);
}
