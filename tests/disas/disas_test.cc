// The machine code of the texts beside this file is what stands in their goldens: so whoever changes what the compiler
// makes sees it, instruction by instruction. With WASIRUN_BLESS set, goldens are written instead.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "disassembly.h"
#include "support/shared.h"

namespace wasi::test {
namespace {

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::filesystem::path> files_with(std::string_view extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(project_path("tests/disas"))) {
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

// The first lines that differ, with some in front.
std::string difference(const std::string& expected, const std::string& actual) {
  std::istringstream a(expected);
  std::istringstream b(actual);
  std::string before;
  std::string x;
  std::string y;
  for (int number = 1;; ++number) {
    const bool has_x = static_cast<bool>(std::getline(a, x));
    const bool has_y = static_cast<bool>(std::getline(b, y));
    if (!has_x && !has_y) return "";
    if (has_x != has_y || x != y) {
      return "line " + std::to_string(number) + ":\n" + before + "-" + (has_x ? x : "(end)") + "\n+" +
             (has_y ? y : "(end)");
    }
    if (x.empty() || x.front() != ' ') before.clear();
    before += ' ' + x + '\n';
  }
}

TEST_CASE("machine code is what the goldens say", "[disas]") {
  const bool blesses = std::getenv("WASIRUN_BLESS") != nullptr;
  const auto texts = files_with(".wat");
  REQUIRE(texts.size() >= 200);
  for (const std::filesystem::path& path : texts) {
    DYNAMIC_SECTION(path.filename().string()) {
      const std::string code = disassemble(read_text(path));
      REQUIRE_FALSE(code.empty());
      std::filesystem::path golden = path;
      golden.replace_extension(".golden");
      if (blesses) {
        std::ofstream(golden) << code;
        REQUIRE(read_text(golden) == code);
      } else {
        INFO("WASIRUN_BLESS=1 disas_tests writes what it is now");
        REQUIRE(std::filesystem::exists(golden));
        if (const std::string where = difference(read_text(golden), code); !where.empty()) FAIL(where);
      }
    }
  }
}

TEST_CASE("every golden has its text", "[disas]") {
  for (std::filesystem::path path : files_with(".golden")) {
    INFO(path);
    CHECK(std::filesystem::exists(path.replace_extension(".wat")));
  }
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
