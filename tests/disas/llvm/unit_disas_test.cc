// The optimising compiler's machine code of the texts beside this file is what stands in their goldens, for machines of
// x86-64-v3: so whoever changes what it makes sees it. They are of the release of LLVM that the project is built with.
#include <catch2/catch.hpp>
#include <filesystem>

#include "disas/goldens.h"
#include "disas/llvm/unit_disassembly.h"
#include "support/shared.h"

namespace wasi::test {
namespace {

using jit::OptimisingOptions;

TEST_CASE("the optimising compiler's machine code is what the goldens say", "[disas]") {
  check_goldens("tests/disas/llvm", 40, [](std::string_view text) { return disassemble_unit(text); });
}

// Costs have one as well.
TEST_CASE("every optimisation of the optimising compiler has a text that shows it", "[disas]") {
  for (std::size_t i = 0; i < jit::kUnitOptimisationCount; ++i) {
    const jit::OptimisationInfo& row = jit::kUnitOptimisations[i];
    INFO(row.name);
    const auto path = project_path("tests/disas/llvm/" + std::string(row.name) + ".wat");
    REQUIRE(std::filesystem::exists(path));
    const std::string text = read_text(path);
    jit::UnitOptimisationCounts counts = {};
    // That it is counted changes nothing: the text is of two compilations, one of which does not count.
    const std::string with = disassemble_unit(text, [&](OptimisingOptions& options) { options.counts = &counts; });
    CHECK(counts[i].load() > 0);
    if (row.is_cost) continue;
    jit::UnitOptimisationCounts others = {};
    const std::string without = disassemble_unit(text, [&](OptimisingOptions& options) {
      options.without.add(static_cast<jit::UnitOptimisation>(i));
      options.counts = &others;
    });
    CHECK(others[i].load() == 0);
    CHECK(with != without);
  }
}

}  // namespace
}  // namespace wasi::test
