// Generated modules: they are valid, contain every instruction, and all configurations agree on what they do.
//
// What fails here is looked into with the program of differential_main.cc: differential --replay SEED, --reduce SEED.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <iterator>
#include <vector>

#include "binary/decoder.h"
#include "engine/state.h"
#include "fuzz/reduce.h"
#include "fuzz/run.h"
#include "interp/interpreter.h"
#include "mutation/mutate.h"
#include "support/sanitizers.h"
#include "validate/validator.h"

using namespace wasi;
using namespace wasi::test::fuzz;

namespace {

#if defined(WASI_TEST_SANITIZER)
constexpr std::uint64_t kSlower = 20;
#else
constexpr std::uint64_t kSlower = 1;
#endif

// Why a module is not valid; empty: it is.
std::string problem_of(const std::vector<std::uint8_t>& bytes) {
  const auto module = binary::decode_module({bytes, nullptr}, std::make_shared<wasm::TypeRegistry>());
  if (!module) return module.error().to_string();
  if (const auto valid = validate::validate_module(**module); !valid) return valid.error().to_string();
  if (const auto valid = validate::validate_functions(**module, 1); !valid) return valid.error().to_string();
  return "";
}

std::array<std::atomic<std::uint64_t>, wasm::kOpCount> executed;

// An interpreter that counts what it executes.
Engine make_counting(bool /*charges_fuel*/) {
  auto state = std::make_shared<detail::EngineState>();
  state->registry = std::make_shared<wasm::TypeRegistry>();
  state->tier = interp::make_interpreter({.counts = executed.data()});
  return detail::Internals::engine(std::move(state));
}

std::string names_of_missing(const auto& counts) {
  std::string names;
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    if (counts[i] == 0) names += std::string(wasm::kOps[i].text) + " ";
  }
  return names;
}

}  // namespace

TEST_CASE("bytes always make the same modules") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto bytes = bytes_of_seed(seed);
    CHECK(generate(bytes).modules == generate(bytes).modules);
  }
  CHECK(generate(bytes_of_seed(1)).modules != generate(bytes_of_seed(2)).modules);
}

TEST_CASE("generated modules are valid and contain every instruction") {
  std::array<std::uint64_t, wasm::kOpCount> counts{};
  for (std::uint64_t seed = 0; seed < 4000 / kSlower; ++seed) {
    const Case generated = generate(bytes_of_seed(seed));
    for (std::size_t i = 0; i < generated.modules.size(); ++i) {
      INFO("seed " << seed << ", module " << i);
      REQUIRE(problem_of(generated.modules[i]) == "");
    }
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += generated.counts[i];
  }
  if (kSlower == 1) CHECK(names_of_missing(counts) == "");
}

TEST_CASE("modules of few bytes, and of none, are valid") {
  test::Random random(3);
  for (std::size_t size = 0; size < 300; ++size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    for (const auto& module : generate(bytes).modules) {
      INFO("size " << size);
      REQUIRE(problem_of(module) == "");
    }
  }
}

TEST_CASE("modules stay valid whatever is left out of them") {
  test::Random random(5);
  for (std::uint64_t seed = 0; seed < 600 / kSlower; ++seed) {
    const auto bytes = bytes_of_seed(seed);
    std::vector<bool> omitted(generate(bytes).node_ends.size());
    const std::uint64_t most = random.below(8);
    for (std::size_t i = 0; i < omitted.size(); ++i) omitted[i] = random.below(8) < most;
    for (const auto& module : generate(bytes, omitted).modules) {
      INFO("seed " << seed << ", " << most << " of 8 left out");
      REQUIRE(problem_of(module) == "");
    }
  }
}

TEST_CASE("every instruction is executed") {
  if (kSlower > 1) return;
  const Configuration counting[] = {{.name = "counting", .make_engine = &make_counting}};
  Differential counter(counting);
  // How many it takes differs between compilers, which evaluate a call's arguments in orders of their own.
  constexpr std::uint64_t kMost = 100'000;
  for (std::uint64_t seed = 0; seed < kMost; ++seed) {
    REQUIRE_FALSE(counter.run(generate(bytes_of_seed(seed))));
    if (seed % 1000 == 999 && names_of_missing(executed).empty()) break;
  }
  CHECK(names_of_missing(executed) == "");
}

void check_agreement(std::span<const Configuration> chosen, std::uint64_t seeds, std::uint32_t rounds) {
  Differential differential(chosen, rounds);
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto finding = differential.run(generate(bytes_of_seed(seed)));
    if (finding) FAIL("seed " << seed << ": " << *finding);
  }
  const RunStatistics& statistics = differential.statistics();
  WARN(statistics.calls << " calls; of " << statistics.first_calls << " of the first configuration "
                        << statistics.returned << " returned; " << statistics.given_up << " cases given up, "
                        << statistics.not_begun << " not begun");
  // Most get somewhere: whatever ends a call early hides all that would come.
  CHECK(statistics.returned > statistics.first_calls / 2);
  CHECK(statistics.given_up <= statistics.cases / 50);
  CHECK(statistics.not_begun <= statistics.cases / 20);
}

TEST_CASE("all configurations agree that compile quickly") {
  std::vector<Configuration> quick;
  std::ranges::copy_if(configurations(), std::back_inserter(quick), std::not_fn(&Configuration::is_optimising));
  check_agreement(quick, 4000 / kSlower, 2);
}

TEST_CASE("the optimising compiler agrees with the interpreter") {
  std::vector<Configuration> chosen;
  std::ranges::copy_if(configurations(), std::back_inserter(chosen), &Configuration::is_optimising);
  if (chosen.empty()) return;
  chosen.insert(chosen.begin(), configurations().front());
  check_agreement(chosen, 150 / kSlower, 10);
}

TEST_CASE("a configuration that is different is found, and its case made smaller") {
  const Configuration configurations[] = {
      {.name = "as it should be", .make_engine = [](bool) { return Engine(); }},
      {.name = "without room for tables", .make_engine = [](bool) { return Engine(); }, .table_limit = 12},
  };
  Differential differential(configurations);
  std::uint64_t seed = 0;
  std::optional<std::string> finding;
  while (!finding) finding = differential.run(generate(bytes_of_seed(++seed)));
  INFO("seed " << seed << ": " << *finding);
  CHECK(finding->contains("\"as it should be\" and \"without room for tables\" disagree"));
  const auto bytes = bytes_of_seed(seed);
  const auto disagrees = [&](const Case& candidate) { return differential.run(candidate).has_value(); };
  const auto omitted = reduce(bytes, disagrees, 3000);
  CHECK(disagrees(generate(bytes, omitted)));
  const auto left_out = static_cast<std::size_t>(std::ranges::count(omitted, true));
  CHECK(left_out * 10 > omitted.size() * 8);
}
