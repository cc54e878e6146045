// A container's standard streams: the fifos, or files, that containerd names.
#pragma once

#include <wasi/error.h>

#include <array>
#include <string>

#include "os/unique_fd.h"

namespace wasirun::shim {

struct StdioPaths {
  std::string in;  // empty: /dev/null; so are those of `out` and `err`
  std::string out;
  std::string err;
};

struct StdioFiles {
  std::array<wasi::os::UniqueFd, 3> streams;
  // Holds the input open, so that it has no end before CloseIO. Invalid where there is none.
  wasi::os::UniqueFd input_keeper;
};

// Opens them. Fifos for output are open for reading too: their writers are not told that containerd went away, since
// it comes back. Their reader is waited for, though no longer than a second for both: what a container writes that ends
// before its reader came would be lost. Paths may be file:// addresses. Errors: `unsupported` for other addresses.
wasi::Result<StdioFiles> open_stdio(const StdioPaths& paths);

}  // namespace wasirun::shim
