// See include/wasi/stdio.h.
#include <wasi/stdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "engine/stdio.h"
#include "os/unique_fd.h"
#include "wasi/embedder_stream.h"
#include "wasi/host_file.h"

namespace wasi {
namespace {

using detail::StreamSource;
using Kind = preview1::Stdio::Kind;

std::shared_ptr<const StreamSource> source(preview1::Stdio stdio) {
  return std::make_shared<const StreamSource>(StreamSource{[stdio = std::move(stdio)](bool) { return stdio; }});
}

// A file that is made anew for each guest.
template <class Make>
std::shared_ptr<const StreamSource> source_of_file(Make make) {
  return std::make_shared<const StreamSource>(StreamSource{[make = std::move(make)](bool) -> Result<preview1::Stdio> {
    return preview1::Stdio{.kind = Kind::file, .file = make()};
  }});
}

// The end of a pipe that the first guest gets.
struct GuestEnd {
  std::mutex mutex;
  os::UniqueFd fd;
  bool is_input = false;

  Result<preview1::Stdio> give(bool reads) {
    if (reads != is_input) {
      return fail(ErrorKind::argument, "a pipe {} the program cannot be its {}", is_input ? "to" : "from",
                  reads ? "stdin" : "stdout or stderr");
    }
    const std::lock_guard lock(mutex);
    if (!fd) return fail(ErrorKind::argument, "a pipe serves one program, and this one was given to another already");
    struct stat status{};
    // Never to wait in the kernel is the guest's end's matter alone: both ends are open files of their own.
    if (::fstat(fd.get(), &status) != 0 || ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) {
      return fail(ErrorKind::io, "a pipe cannot be given to the program: {}", std::system_category().message(errno));
    }
    auto handle = preview1::HostHandle::owned(std::exchange(fd, {}));
    return preview1::Stdio{.kind = Kind::file, .file = preview1::make_host_file(std::move(handle), status)};
  }
};

}  // namespace

OutputBuffer::OutputBuffer(std::size_t limit) : output_(std::make_shared<preview1::CapturedOutput>(limit)) {}
std::string OutputBuffer::text() const { return output_->text(); }
std::string OutputBuffer::take() const { return output_->take(); }
std::size_t OutputBuffer::size() const { return output_->size(); }

Stdio Stdio::null() { return Stdio(source({.kind = Kind::null})); }
Stdio Stdio::inherit() { return Stdio(source({.kind = Kind::inherit})); }
Stdio Stdio::fd(int descriptor) { return Stdio(source({.kind = Kind::fd, .fd = descriptor})); }
Stdio Stdio::file(PathView path) { return Stdio(source({.kind = Kind::path, .path = path.string()})); }
Stdio Stdio::append_to(PathView path) {
  return Stdio(source({.kind = Kind::path, .path = path.string(), .appends = true}));
}
Stdio Stdio::bytes(std::string text) {
  return Stdio(source_of_file(
      [bytes = std::make_shared<const std::string>(std::move(text))] { return preview1::make_input(bytes); }));
}
Stdio Stdio::buffer(const OutputBuffer& buffer) {
  return Stdio(source_of_file([output = buffer.output_] { return preview1::make_output(output); }));
}
Stdio Stdio::reader(StreamReader function) {
  return Stdio(source_of_file([function = std::move(function)] { return preview1::make_input(function); }));
}
Stdio Stdio::writer(StreamWriter function) {
  return Stdio(source_of_file([function = std::move(function)] { return preview1::make_output(function); }));
}

Result<Pipe> Pipe::make(bool guest_reads) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorKind::io, "no pipe can be made: {}", std::system_category().message(errno));
  }
  const auto guest = std::make_shared<GuestEnd>();
  guest->is_input = guest_reads;
  guest->fd.reset(ends[guest_reads ? 0 : 1]);
  return Pipe(
      ends[guest_reads ? 1 : 0],
      Stdio(std::make_shared<const StreamSource>(StreamSource{[guest](bool reads) { return guest->give(reads); }})));
}

Result<Pipe> Pipe::to_guest() { return make(true); }
Result<Pipe> Pipe::from_guest() { return make(false); }
Pipe::Pipe(Pipe&& other) noexcept : fd_(other.release()), guest_end_(other.guest_end_) {}
Pipe& Pipe::operator=(Pipe&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
    guest_end_ = other.guest_end_;
  }
  return *this;
}
Pipe::~Pipe() { close(); }
Stdio Pipe::guest_end() const { return guest_end_; }
void Pipe::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace wasi
