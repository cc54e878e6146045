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
  // Hold the fifos for output open, so that what a container wrote that has ended is there for a reader who comes late.
  std::array<wasi::os::UniqueFd, 2> output_keepers;
};

// Whether what was written to a fifo was not read yet; false of an invalid descriptor.
bool has_unread(const wasi::os::UniqueFd& fifo);

// Opens them without waiting for anybody at the other end. Fifos for output are open for reading too: their writers
// are not told that containerd went away, since it comes back. Paths may be file:// addresses. Errors: `unsupported`
// for other addresses.
wasi::Result<StdioFiles> open_stdio(const StdioPaths& paths);

}  // namespace wasirun::shim
