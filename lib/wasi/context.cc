// Making of a Context: stdio, preopens, argument strings. See context.h.
#include "wasi/context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "os/retry.h"
#include "wasi/event_loop.h"
#include "wasi/given_socket.h"
#include "wasi/host_directory.h"
#include "wasi/host_file.h"
#include "wasi/host_socket.h"
#include "wasi/memory_files.h"
#include "wasi/null_stream.h"
#include "wasi/state.h"
#include "wasi/virtual_tree.h"

namespace wasi::preview1 {
namespace {

// Guest addresses are 32-bit, so all strings of a list fit into that, with their pointers beside them.
constexpr std::size_t kMaxStringBytes = std::size_t{1} << 30;
constexpr std::size_t kStreams = 3;

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

// A file that is read, or written anew or from its end.
Result<std::shared_ptr<File>> stdio_at(const std::string& path, bool reads, bool appends) {
  // Without waiting for the other end of a FIFO, and without becoming a terminal's process.
  const int writes = O_WRONLY | O_CREAT | (appends ? O_APPEND : O_TRUNC);
  const int flags = (reads ? O_RDONLY : writes) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  os::UniqueFd file(os::retry([&] { return ::open(path.c_str(), flags, 0666); }));
  struct stat status{};
  if (!file || os::retry([&] { return ::fstat(file.get(), &status); }) != 0 || S_ISDIR(status.st_mode)) {
    const int error = file && S_ISDIR(status.st_mode) ? EISDIR : errno;
    return fail(ErrorKind::io, "file \"{}\" cannot be the program's {}: {}", path, reads ? "stdin" : "stdout or stderr",
                std::system_category().message(error));
  }
  return make_host_file(HostHandle::owned(std::move(file)), status);
}

// The file behind descriptor 0 (`reads`), 1 or 2.
Result<std::shared_ptr<File>> stdio_file(const Stdio& stdio, int inherited, bool reads) {
  if (stdio.kind == Stdio::Kind::null) return std::make_shared<NullStream>();
  if (stdio.kind == Stdio::Kind::file) return stdio.file;
  if (stdio.kind == Stdio::Kind::path) return stdio_at(stdio.path, reads, stdio.appends);
  const int host = stdio.kind == Stdio::Kind::fd ? stdio.fd : inherited;
  const char* name = reads ? "stdin" : "stdout or stderr";
  struct stat status{};
  if (os::retry([&] { return ::fstat(host, &status); }) != 0) {
    if (stdio.kind == Stdio::Kind::fd || errno != EBADF) {
      return fail(ErrorKind::io, "descriptor {} cannot be the program's {}: {}", host, name,
                  std::system_category().message(errno));
    }
    // The process runs without it, so the number may become some other file's: the guest gets none of it.
    return std::make_shared<NullStream>();
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::argument, "descriptor {} cannot be the program's {}: it is a directory", host, name);
  }
  return make_host_file(HostHandle::borrowed(host), status);
}

Result<Descriptor> stdio(const Stdio& stdio, int inherited, bool reads) {
  Descriptor descriptor;
  descriptor.file = WASI_TRY(stdio_file(stdio, inherited, reads));
  constexpr Rights kTransfer = right::fd_read | right::fd_write;
  const Rights transfer = reads ? right::fd_read : right::fd_write;
  if ((descriptor.file->rights() & transfer) == 0) {
    return fail(ErrorKind::argument, "a stream that cannot be {} cannot be the program's {}",
                reads ? "read" : "written", reads ? "stdin" : "stdout or stderr");
  }
  Rights rights = (descriptor.file->rights() & ~kTransfer) | transfer;
  if (reads && !descriptor.file->is_stream()) rights &= ~right::kChanging;
  descriptor.base = rights;
  descriptor.name = reads ? "stdin" : inherited == STDOUT_FILENO ? "stdout" : "stderr";
  // Of a listener, as a super-server may give it.
  if (descriptor.file->as_socket() != nullptr) descriptor.inheriting = right::kOfSockets;
  return descriptor;
}

Result<Descriptor> socket_of(const GivenSocket& given) {
  // A number of our own: the program may close its descriptor, the embedder the other.
  os::UniqueFd duplicate(::fcntl(given.descriptor(), F_DUPFD_CLOEXEC, 0));
  if (!duplicate) {
    return fail(ErrorKind::io, "a socket cannot be given to the program: {}", std::system_category().message(errno));
  }
  Descriptor descriptor;
  descriptor.file = std::make_shared<HostSocket>(HostHandle::owned(std::move(duplicate)));
  descriptor.name = given.address();
  descriptor.is_given_socket = true;
  descriptor.becomes_nonblocking = true;
  descriptor.base = right::kOfSockets;
  descriptor.inheriting = right::kOfSockets;
  return descriptor;
}

Result<std::shared_ptr<File>> host_directory(const Preopen& preopen, const os::Resolver& resolver) {
  os::UniqueFd directory(
      os::retry([&] { return ::open(preopen.host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!directory) {
    const int error = errno;
    return fail(ErrorKind::io, "directory \"{}\" cannot be given to the program as \"{}\": {}", preopen.host_path,
                preopen.guest_path, std::system_category().message(error));
  }
  return std::make_shared<HostDirectory>(HostHandle::owned(std::move(directory)), resolver);
}

Result<Descriptor> preopen(const Preopen& preopen, std::size_t index, const os::Resolver& resolver) {
  if (!base::is_utf8(preopen.guest_path) || preopen.guest_path.find('\0') != std::string::npos) {
    return fail(ErrorKind::argument, "the guest's name for directory \"{}\" is not UTF-8 without NUL",
                preopen.host_path);
  }
  Descriptor descriptor;
  descriptor.access = preopen.access;
  descriptor.preopen = static_cast<std::int32_t>(index);
  if (preopen.write_limit) descriptor.quota = std::make_shared<WriteQuota>(*preopen.write_limit);
  if (preopen.made != nullptr) {
    descriptor.file = make_virtual_root(preopen.made);
  } else if (preopen.tree != nullptr) {
    descriptor.file = memory::root_of(preopen.tree);
  } else {
    descriptor.file = WASI_TRY(host_directory(preopen, resolver));
  }
  descriptor.name = preopen.guest_path;
  descriptor.base = right::kOfDirectories;
  if (preopen.access == Access::read_only) descriptor.base &= ~right::kChanging;
  // Also where nothing may be written: programs intersect what they want with this set before they open, and would
  // get a descriptor that fails at the first write instead of an error from open. path_open refuses instead.
  descriptor.inheriting = right::kOfDirectories | right::kOfFiles;
  return descriptor;
}

}  // namespace

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

Result<std::shared_ptr<Context>> Context::create(Config config) {
  if (config.limits.path_length > Limits::kMostPathLength) {
    return fail(ErrorKind::argument, "paths can be at most {} bytes long, not {}", Limits::kMostPathLength,
                config.limits.path_length);
  }
  if (config.sockets.size() + config.preopens.size() + kStreams > config.limits.descriptors) {
    return fail(ErrorKind::argument,
                "the program may have {} descriptors, which is too few for {} streams, {} sockets and {} directories",
                config.limits.descriptors, kStreams, config.sockets.size(), config.preopens.size());
  }
  // Where it fails, programs wait without.
  (void)EventLoop::prepare();
  auto state = std::make_unique<State>(config.limits, std::move(config.time), std::move(config.random));
  const os::Resolver resolver(config.force_path_walk);
  state->args = WASI_TRY(string_list(config.args, "argument"));
  for (const std::string& variable : config.env) {
    if (variable.find('=') == std::string::npos || variable.front() == '=') {
      return fail(ErrorKind::argument, "environment variable \"{}\" is not NAME=value", variable);
    }
  }
  state->env = WASI_TRY(string_list(config.env, "environment variable"));
  // Before any file is opened: a stdio descriptor that the process lacks must not be found to be one of ours.
  const std::pair<const Stdio*, int> streams[kStreams] = {
      {&config.in, STDIN_FILENO}, {&config.out, STDOUT_FILENO}, {&config.err, STDERR_FILENO}};
  std::array<Descriptor, kStreams> opened;
  for (const bool opens : {false, true}) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      const auto& [given, inherited] = streams[i];
      if ((given->kind == Stdio::Kind::path) == opens) opened[i] = WASI_TRY(stdio(*given, inherited, i == 0));
    }
  }
  for (Descriptor& stream : opened) (void)state->fds.insert(std::move(stream));
  for (const auto& given : config.sockets) (void)state->fds.insert(WASI_TRY(socket_of(*given)));
  state->sockets = std::move(config.sockets);
  for (const Preopen& given : config.preopens) {
    (void)state->fds.insert(WASI_TRY(preopen(given, state->preopen_names.size(), resolver)));
    state->preopen_names.push_back(given.guest_path);
  }
  if (config.trace.sink) state->trace.emplace(std::move(config.trace));
  return std::shared_ptr<Context>(new Context(std::move(state)));
}

}  // namespace wasi::preview1
