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

namespace {

std::vector<std::filesystem::path> shared_files(std::string_view below, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  const auto folder = shared_path(below);
  if (!folder) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
    if (entry.is_regular_file() && entry.path().extension() == extension) files.push_back(entry.path());
  }
  if (files.empty()) WARN("SKIPPED: no " << extension << " files below " << *folder);
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<std::filesystem::path> shared_modules() { return shared_files("bench", ".wasm"); }
std::vector<std::filesystem::path> official_scripts() { return shared_files("spec-testsuite", ".wast"); }

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) FAIL("cannot read " << path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace wasi::test
