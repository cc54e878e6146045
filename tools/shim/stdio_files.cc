#include "tools/shim/stdio_files.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

using wasi::os::UniqueFd;

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

wasi::Result<UniqueFd> open_output(const std::string& address, UniqueFd& keeper) {
  if (address.empty()) return open_null(O_WRONLY);
  const std::string path = WASI_TRY(path_of(address));
  struct stat info{};
  const bool is_fifo = ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
  UniqueFd file(is_fifo ? ::open(path.c_str(), O_RDWR | O_CLOEXEC)
                        : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!file) return host_failure("open", path);
  if (is_fifo) keeper.reset(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
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
  files.streams[1] = WASI_TRY(open_output(paths.out, files.output_keepers[0]));
  files.streams[2] = WASI_TRY(open_output(paths.err, files.output_keepers[1]));
  return files;
}

bool has_unread(const UniqueFd& fifo) {
  int count = 0;
  return fifo && ::ioctl(fifo.get(), FIONREAD, &count) == 0 && count > 0;
}

}  // namespace wasirun::shim
