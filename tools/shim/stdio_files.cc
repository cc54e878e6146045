#include "tools/shim/stdio_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

using wasi::os::UniqueFd;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{1};

wasi::Result<std::string> path_of(const std::string& address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string::npos) return address;
  if (address.starts_with("file://")) return address.substr(scheme + 3);
  if (address.starts_with("fifo://")) return address.substr(scheme + 3);
  return wasi::fail(wasi::ErrorKind::unsupported, "{}: only fifos and file:// can be written to",
                    wasi::printable(address));
}

wasi::Result<UniqueFd> open_null(int flags) {
  UniqueFd null(::open("/dev/null", flags | O_CLOEXEC));
  if (!null) return host_failure("open", "/dev/null");
  return null;
}

// A client opens its end while it asks for the container, and may be later than a container that ends at once. One that
// still waits in its open() for a writer counts as a reader, and has the fifo open from here on.
// What is returned has to be closed only when there is another writer: the reader would see the end.
UniqueFd wait_for_reader(const std::string& fifo, Clock::time_point deadline) {
  constexpr std::chrono::milliseconds kPause{1};
  while (true) {
    UniqueFd writer(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (writer || errno != ENXIO || Clock::now() >= deadline) return writer;
    std::this_thread::sleep_for(kPause);
  }
}

wasi::Result<UniqueFd> open_output(const std::string& address, Clock::time_point deadline) {
  if (address.empty()) return open_null(O_WRONLY);
  const std::string path = WASI_TRY(path_of(address));
  struct stat info{};
  const bool is_fifo = ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
  const UniqueFd writer = is_fifo ? wait_for_reader(path, deadline) : UniqueFd();
  UniqueFd file(is_fifo ? ::open(path.c_str(), O_RDWR | O_CLOEXEC)
                        : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!file) return host_failure("open", path);
  return file;
}

}  // namespace

wasi::Result<StdioFiles> open_stdio(const StdioPaths& paths) {
  StdioFiles files;
  if (paths.in.empty()) {
    files.streams[0] = WASI_TRY(open_null(O_RDONLY));
  } else {
    const std::string path = WASI_TRY(path_of(paths.in));
    files.input_keeper.reset(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!files.input_keeper) return host_failure("open", path);
    files.streams[0].reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!files.streams[0]) return host_failure("open", path);
  }
  const auto deadline = Clock::now() + kPatience;
  files.streams[1] = WASI_TRY(open_output(paths.out, deadline));
  files.streams[2] = WASI_TRY(open_output(paths.err, deadline));
  return files;
}

}  // namespace wasirun::shim
