#include "support/shared.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace wasi::test {

std::filesystem::path project_path(std::string_view relative) {
  return std::filesystem::path(WASIRUN_TEST_PROJECT_DIR) / relative;
}

std::optional<std::filesystem::path> shared_path(std::string_view relative) {
  const char* from_environment = std::getenv("WASIRUN_SHARED_DIR");
  const std::string folder =
      from_environment != nullptr && *from_environment != '\0' ? from_environment : WASIRUN_TEST_SHARED_DIR;
  const std::filesystem::path path = std::filesystem::path(folder) / relative;
  if (std::filesystem::exists(path)) return path;
  WARN("SKIPPED: " << path << " is missing; set WASIRUN_SHARED_DIR to the folder that has it");
  return std::nullopt;
}

std::vector<std::filesystem::path> shared_modules() {
  std::vector<std::filesystem::path> modules;
  const auto folder = shared_path("bench");
  if (!folder) return modules;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".wasm") modules.push_back(entry.path());
  }
  if (modules.empty()) WARN("SKIPPED: no .wasm files below " << *folder);
  std::ranges::sort(modules);
  return modules;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) FAIL("cannot read " << path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace wasi::test
