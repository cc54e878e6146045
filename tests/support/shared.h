// Files that tests read: the project's own, and the folder with the official suites and benchmark modules, which is
// not part of the project.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace wasi::test {

// A file or folder of the project.
std::filesystem::path project_path(std::string_view relative);

// A file or folder below the shared one: $WASIRUN_SHARED_DIR, else the CMake cache's WASIRUN_SHARED_DIR, else ../shared
// beside the project. When it is missing, says loudly that the test is skipped.
std::optional<std::filesystem::path> shared_path(std::string_view relative);

// All .wasm files below shared/bench, sorted by path; empty, and said so, when there are none.
std::vector<std::filesystem::path> shared_modules();

// All scripts of the official suite, in the same way.
std::vector<std::filesystem::path> official_scripts();

std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

}  // namespace wasi::test
