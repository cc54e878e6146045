// Making of a Context: stdio, preopens, argument strings. See context.h.
#include "wasi/context.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "wasi/host_file.h"
#include "wasi/state.h"

namespace wasi::preview1 {
namespace {

// Guest addresses are 32-bit, so all strings of a list fit into that, with their pointers beside them.
constexpr std::size_t kMaxStringBytes = std::size_t{1} << 30;

Result<StringList> string_list(const std::vector<std::string>& strings, std::string_view what) {
  StringList list;
  for (const std::string& string : strings) {
    if (string.find('\0') != std::string::npos) {
      return fail(ErrorKind::argument, "{} {} has a NUL in it", what, list.offsets.size());
    }
    if (list.bytes.size() + string.size() + 1 > kMaxStringBytes) {
      return fail(ErrorKind::limit, "{}s take more than {} bytes", what, kMaxStringBytes);
    }
    list.offsets.push_back(static_cast<std::uint32_t>(list.bytes.size()));
    list.bytes += string;
    list.bytes += '\0';
  }
  return list;
}

// What a descriptor of the embedder's can do, as descriptor 0 (`reads`) or 1 and 2.
Result<Descriptor> stdio(const Stdio& stdio, int inherited, bool reads) {
  Descriptor descriptor;
  descriptor.host = stdio.kind == Stdio::Kind::fd ? stdio.fd : inherited;
  const Rights direction = reads ? right::fd_read : right::fd_write;
  struct stat status{};
  if (stdio.kind == Stdio::Kind::null) {
    descriptor.is_null = true;
  } else if (::fstat(descriptor.host, &status) != 0) {
    if (stdio.kind == Stdio::Kind::fd) {
      return fail(ErrorKind::io, "descriptor {} cannot be the program's std{}: {}", stdio.fd,
                  reads ? "in" : "out or stderr", std::system_category().message(errno));
    }
    // The process runs without it, so the number may become some other file's: the guest gets none of it.
    descriptor.is_null = true;
  }
  if (descriptor.is_null) {
    descriptor.host = -1;
    descriptor.type = FileType::character_device;
    // wasi-libc takes a character device that cannot be sought in for a terminal.
    descriptor.base =
        (right::kOfStreams & ~(right::fd_read | right::fd_write)) | direction | right::fd_seek | right::fd_tell;
    return descriptor;
  }
  descriptor.type = file_type(status.st_mode);
  if (S_ISSOCK(status.st_mode)) descriptor.type = socket_type(descriptor.host);
  constexpr Rights kTransfer = right::fd_read | right::fd_write;
  switch (descriptor.type) {
    case FileType::directory:
      return fail(ErrorKind::argument, "descriptor {} cannot be the program's std{}: it is a directory",
                  descriptor.host, reads ? "in" : "out or stderr");
    case FileType::regular_file:
    case FileType::block_device:
      descriptor.base = (right::kOfFiles & ~kTransfer) | direction;
      if (reads) descriptor.base &= ~right::kChanging;
      break;
    case FileType::character_device:
      descriptor.base = (right::kOfStreams & ~kTransfer) | direction;
      if (::isatty(descriptor.host) == 0) descriptor.base |= right::fd_seek | right::fd_tell;
      break;
    case FileType::socket_dgram:
    case FileType::socket_stream:
      descriptor.base = (right::kOfSockets & ~kTransfer) | direction;
      break;
    default:
      descriptor.base = (right::kOfStreams & ~kTransfer) | direction;
  }
  return descriptor;
}

Result<Descriptor> preopen(const Preopen& preopen, std::size_t index) {
  if (!base::is_utf8(preopen.guest_path) || preopen.guest_path.find('\0') != std::string::npos) {
    return fail(ErrorKind::argument, "the guest's name for directory \"{}\" is not UTF-8 without NUL",
                preopen.host_path);
  }
  Descriptor descriptor;
  descriptor.host = ::open(preopen.host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor.host < 0) {
    const int error = errno;
    return fail(ErrorKind::io, "directory \"{}\" cannot be given to the program as \"{}\": {}", preopen.host_path,
                preopen.guest_path, std::system_category().message(error));
  }
  descriptor.is_owned = true;
  descriptor.type = FileType::directory;
  descriptor.access = preopen.access;
  descriptor.preopen = static_cast<std::int32_t>(index);
  descriptor.base = right::kOfDirectories;
  if (preopen.access == Access::read_only) descriptor.base &= ~right::kChanging;
  // Also where nothing may be written: programs intersect what they want with this set before they open, and would
  // get a descriptor that fails at the first write instead of an error from open. path_open refuses instead.
  descriptor.inheriting = right::kOfDirectories | right::kOfFiles;
  return descriptor;
}

bool sigpipe_kills() {
  struct sigaction action{};
  return ::sigaction(SIGPIPE, nullptr, &action) != 0 || action.sa_handler == SIG_DFL;
}

}  // namespace

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

Result<std::shared_ptr<Context>> Context::create(Config config) {
  auto state = std::make_unique<State>(config.force_path_walk);
  state->args = WASI_TRY(string_list(config.args, "argument"));
  for (const std::string& variable : config.env) {
    if (variable.find('=') == std::string::npos || variable.front() == '=') {
      return fail(ErrorKind::argument, "environment variable \"{}\" is not NAME=value", variable);
    }
  }
  state->env = WASI_TRY(string_list(config.env, "environment variable"));
  // Before any file is opened: a stdio descriptor that the process lacks must not be found to be one of ours.
  const std::pair<const Stdio*, int> streams[] = {
      {&config.in, STDIN_FILENO}, {&config.out, STDOUT_FILENO}, {&config.err, STDERR_FILENO}};
  for (const auto& [given, inherited] : streams) {
    (void)state->fds.insert(WASI_TRY(stdio(*given, inherited, inherited == STDIN_FILENO)));
  }
  if (config.preopens.size() > FdTable::kMaxDescriptors - 3) {
    return fail(ErrorKind::limit, "{} directories are more than a program can have open", config.preopens.size());
  }
  for (const Preopen& given : config.preopens) {
    (void)state->fds.insert(WASI_TRY(preopen(given, state->preopen_names.size())));
    state->preopen_names.push_back(given.guest_path);
  }
  state->masks_sigpipe = sigpipe_kills();
  state->trace = std::move(config.trace);
  return std::shared_ptr<Context>(new Context(std::move(state)));
}

}  // namespace wasi::preview1
