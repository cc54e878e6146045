// The files of a Spin component, as its guests see them: below "/", and read-only.
#pragma once

#include <wasi/error.h>
#include <wasi/wasi_config.h>

#include <filesystem>

#include "tools/serve/spin_manifest.h"

namespace wasirun::serve {

// Gives guests the files of a component. `folder` is the manifest's. Directories that stand for themselves are given as
// they are; where patterns choose files, or leave some out, all of them are read, once, and given in memory: at most
// kMostFiles, of kMostBytes together.
inline constexpr std::size_t kMostFiles = 100'000;
inline constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
wasi::Result<void> mount_files(const SpinFiles& files, const std::filesystem::path& folder, wasi::WasiConfig& wasi);

// Whether a path matches a pattern: in it, "*" and "?" stand for characters of one name, "[a-z]" for one of these, and
// a name "**" for any number of directories.
bool matches_pattern(std::string_view path, std::string_view pattern);

}  // namespace wasirun::serve
