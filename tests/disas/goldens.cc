#include "disas/goldens.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "support/shared.h"

namespace wasi::test {
namespace {

std::vector<std::filesystem::path> files_with(std::string_view folder, std::string_view extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(project_path(folder))) {
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

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

void check_goldens(std::string_view folder, std::size_t least,
                   const std::function<std::string(std::string_view)>& make) {
  const bool blesses = std::getenv("WASIRUN_BLESS") != nullptr;
  const auto texts = files_with(folder, ".wat");
  REQUIRE(texts.size() >= least);
  for (const std::filesystem::path& path : texts) {
    DYNAMIC_SECTION(path.filename().string()) {
      const std::string code = make(read_text(path));
      REQUIRE_FALSE(code.empty());
      std::filesystem::path golden = path;
      golden.replace_extension(".golden");
      if (blesses) {
        std::ofstream(golden) << code;
        REQUIRE(read_text(golden) == code);
      } else {
        INFO("WASIRUN_BLESS=1 writes what it is now");
        REQUIRE(std::filesystem::exists(golden));
        if (const std::string where = difference(read_text(golden), code); !where.empty()) FAIL(where);
      }
    }
  }
  for (std::filesystem::path path : files_with(folder, ".golden")) {
    INFO(path);
    CHECK(std::filesystem::exists(path.replace_extension(".wat")));
  }
}

}  // namespace wasi::test
