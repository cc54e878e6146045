// Files that say what an application is: spin.toml, slightfile.toml.
#pragma once

#include <wasi/error.h>

#include <filesystem>
#include <string>

namespace wasirun::serve {

// The text of a manifest: of a file, which is not larger than any manifest would be.
wasi::Result<std::string> read_manifest(const std::filesystem::path& path);

}  // namespace wasirun::serve
