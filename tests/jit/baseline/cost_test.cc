// What a compilation costs: linear in the body, with a factor that is written down, for every construct.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "binary/decoder.h"
#include "jit/baseline/compile.h"
#include "support/cost_modules.h"
#include "validate/validator.h"

namespace wasi::jit::baseline {

using test::Construct;
using test::CostModules;

namespace {

constexpr std::uint32_t kSeed = 20261129;
// What any function has: entry, exit, the code that traps share.
constexpr std::uint64_t kConstantBytes = 8192;
// Less than the interpreter's translation is tried with, since what is made is larger.
constexpr std::uint32_t kFewer = 8;

struct Cost {
  std::uint64_t body = 0;
  std::uint64_t code = 0;
  std::uint64_t entries = 0;  // of the tables beside it
  std::chrono::nanoseconds time{};
};

Cost cost_of(const CostModules& modules, const Construct& construct, std::uint32_t repeats,
             runtime::BoundsChecks checks) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(modules.module(construct, repeats));
  auto module = binary::decode_module({*bytes, bytes}, std::make_shared<wasm::TypeRegistry>());
  if (!module) FAIL(module.error().to_string());
  if (const auto valid = validate::validate_module(**module); !valid) FAIL(valid.error().to_string());
  runtime::Preparation unbounded;
  const auto begin = std::chrono::steady_clock::now();
  const auto compiled = compile(**module, wasm::FuncIndex(0), true, {.checks = checks}, unbounded);
  const auto time = std::chrono::steady_clock::now() - begin;
  if (!compiled) FAIL(construct.name << ": " << compiled.error().to_string());
  return {(*module)->body(wasm::FuncIndex(0)).size, compiled->bytes.size(),
          compiled->marks.size() + compiled->traps.size() + compiled->loop_heads.size(), time};
}

}  // namespace

TEST_CASE("a compilation is linear in the body, of whatever it consists", "[cost]") {
  const CostModules modules(kSeed);
  for (const Construct& construct : modules.constructs()) {
    INFO(construct.name);
    const std::uint32_t repeats = std::max(1U, construct.repeats / kFewer);
    for (const auto checks : {runtime::BoundsChecks::guard_pages, runtime::BoundsChecks::explicit_checks}) {
      const Cost once = cost_of(modules, construct, repeats, checks);
      const Cost twice = cost_of(modules, construct, 2 * repeats, checks);
      CHECK(twice.code <= 2 * once.code + kConstantBytes);
      CHECK(twice.entries <= 2 * once.entries + 64);
      CHECK(twice.code <= kMostCodePerByte * twice.body + kConstantBytes);
    }
  }
}

// Run by hand: clocks are no matter of correctness.
TEST_CASE("a body of twice the size takes twice the time to compile", "[.time]") {
  const CostModules modules(kSeed);
  std::vector<std::pair<double, std::string>> factors;
  for (const Construct& construct : modules.constructs()) {
    double ratio = 0;
    Cost twice;
    // A disturbed measurement is no finding, three are.
    for (int attempt = 0; attempt < 3; ++attempt) {
      const Cost once = cost_of(modules, construct, construct.repeats, runtime::BoundsChecks::guard_pages);
      twice = cost_of(modules, construct, 2 * construct.repeats, runtime::BoundsChecks::guard_pages);
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

}  // namespace wasi::jit::baseline
