// The machine code of the texts beside this file is what stands in their goldens: so whoever changes what the compiler
// makes sees it, instruction by instruction. With WASIRUN_BLESS set, goldens are written instead.
#include <catch2/catch.hpp>
#include <filesystem>

#include "disas/goldens.h"
#include "disassembly.h"
#include "support/shared.h"

namespace wasi::test {
namespace {

TEST_CASE("machine code is what the goldens say", "[disas]") {
  check_goldens("tests/disas", 200, [](std::string_view text) { return disassemble(text); });
}

TEST_CASE("every optimisation has a text that shows it", "[disas]") {
  using namespace jit::baseline;
  for (std::size_t i = 0; i < kOptimisationCount; ++i) {
    INFO(kOptimisations[i].name);
    const auto path = project_path("tests/disas/" + std::string(kOptimisations[i].name) + ".wat");
    REQUIRE(std::filesystem::exists(path));
    const std::string text = read_text(path);
    OptimisationCounts counts = {};
    const std::string with = disassemble(text, [&](CompileOptions& options) { options.counts = &counts; });
    CHECK(counts[i].load() > 0);
    const std::string without =
        disassemble(text, [&](CompileOptions& options) { options.without.add(static_cast<Optimisation>(i)); });
    CHECK(with != without);
  }
}

}  // namespace
}  // namespace wasi::test
