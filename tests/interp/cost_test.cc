// What a translation costs: linear in the body, with a factor that is written down, for every construct.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>

#include "binary/decoder.h"
#include "interp/translate.h"
#include "interp/translation_store.h"
#include "support/cost_modules.h"
#include "validate/empty_sink.h"
#include "validate/function_walk.h"
#include "validate/validator.h"

namespace wasi::interp::test {

using wasi::test::Construct;
using wasi::test::CostModules;

namespace {

constexpr std::uint32_t kSeed = 20261129;
// What a translation has in any case: the function's end, the index of small things.
constexpr std::uint64_t kConstantBytes = 4096;

std::shared_ptr<wasm::Module> decode(const CostModules& modules, const Construct& construct, std::uint32_t repeats) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(modules.module(construct, repeats));
  auto module = binary::decode_module({*bytes, bytes}, std::make_shared<wasm::TypeRegistry>());
  if (!module) FAIL(module.error().to_string());
  if (const auto valid = validate::validate_module(**module); !valid) FAIL(valid.error().to_string());
  return *module;
}

struct Cost {
  std::uint64_t body = 0;
  std::uint64_t code = 0;    // with all that is kept beside it
  std::uint64_t visits = 0;  // to entries of the translator's model
  std::chrono::nanoseconds time{};
};

Cost cost_of(const CostModules& modules, const Construct& construct, std::uint32_t repeats) {
  const auto module = decode(modules, construct, repeats);
  runtime::Preparation unbounded;
  Translator translator({});
  const auto begin = std::chrono::steady_clock::now();
  const auto translated = translate(translator, *module, wasm::FuncIndex(0), false, unbounded);
  const auto time = std::chrono::steady_clock::now() - begin;
  if (!translated) FAIL(translated.error().to_string());
  return {module->body(wasm::FuncIndex(0)).size, TranslationStore::size_of(translator), translator.visits(), time};
}

struct Seen : validate::EmptySink {
  std::set<wasm::Op> ops;
  void instruction(auto&, wasm::Op op, const validate::Immediates&) { ops.insert(op); }
};

}  // namespace

TEST_CASE("a translation is linear in the body, of whatever it consists", "[cost]") {
  const CostModules modules(kSeed);
  for (const Construct& construct : modules.constructs()) {
    INFO(construct.name);
    const Cost once = cost_of(modules, construct, construct.repeats);
    const Cost twice = cost_of(modules, construct, 2 * construct.repeats);
    CHECK(twice.code <= 2 * once.code + kConstantBytes);
    CHECK(twice.visits <= 2 * once.visits + kConstantBytes);
    CHECK(twice.code <= kMostCodePerByte * twice.body + kConstantBytes);
  }
}

// The list is not complete by chance: every instruction that is no control is in some construct.
TEST_CASE("every instruction is in a construct whose cost is measured", "[cost]") {
  const CostModules modules(kSeed);
  Seen seen;
  for (const Construct& construct : modules.constructs()) {
    INFO(construct.name);
    const auto module = decode(modules, construct, 1);
    validate::FunctionWalk<Seen, true> walk(*module, wasm::FuncIndex(0), seen);
    const auto walked = walk.run();
    if (!walked) FAIL_CHECK(walked.error().to_string());
  }
  std::string missing;
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    const auto op = static_cast<wasm::Op>(i);
    // What sinks are told by methods of their own is in the list by name.
    constexpr std::string_view kControl[] = {"block",     "loop",      "if",        "else",        "try",
                                             "catch",     "catch_all", "end",       "throw",       "rethrow",
                                             "throw_ref", "delegate",  "try_table", "unreachable", "nop"};
    const std::string_view text = wasm::info(op).text;
    if (std::ranges::find(kControl, text) != std::end(kControl)) continue;
    if (text.starts_with("br") || text.find("call") != text.npos || text == "return") continue;
    if (!seen.ops.contains(op)) missing += fmt::format(" {}", text);
  }
  CHECK(missing == "");
}

// Run by hand: clocks are no matter of correctness.
TEST_CASE("a body of twice the size takes twice the time", "[.time]") {
  const CostModules modules(kSeed);
  std::vector<std::pair<double, std::string>> factors;
  for (const Construct& construct : modules.constructs()) {
    double ratio = 0;
    Cost twice;
    // A disturbed measurement is no finding, three are.
    for (int attempt = 0; attempt < 3; ++attempt) {
      const Cost once = cost_of(modules, construct, construct.repeats);
      twice = cost_of(modules, construct, 2 * construct.repeats);
      ratio = std::chrono::duration<double>(twice.time) / (once.time + std::chrono::milliseconds(1));
      if (ratio < 3) break;
    }
    INFO(construct.name);
    CHECK(ratio < 3);
    factors.emplace_back(static_cast<double>(twice.code) / static_cast<double>(twice.body),
                         fmt::format("{}, {:.0f} ns a byte", construct.name,
                                     static_cast<double>(twice.time.count()) / static_cast<double>(twice.body)));
  }
  std::ranges::sort(factors, std::greater{});
  for (const auto& [factor, name] : factors) fmt::print("{:6.2f} bytes of code a byte: {}\n", factor, name);
}

}  // namespace wasi::interp::test
