// Small files of the host: of bundles, of /proc, of control groups.
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace wasirun::shim {

// "CALL PATH: No such file or directory", of errno.
std::unexpected<wasi::Error> host_failure(std::string_view what, std::string_view path);
std::unexpected<wasi::Error> host_failure(std::string_view what);

// The whole file; fails where it is larger than `limit`.
wasi::Result<std::string> read_file(const std::string& path, std::size_t limit = std::size_t{1} << 20);
// By one write to a file that is there, as the kernel's want it.
wasi::Result<void> write_file(const std::string& path, std::string_view text);
// Made or replaced, so that every reader sees the old or the new one, whole.
wasi::Result<void> replace_file(const std::string& path, std::string_view text);

}  // namespace wasirun::shim
