// See world.h.
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <cerrno>
#include <filesystem>

namespace wasi::preview1::test {
namespace {

Config configuration(const wasi::test::TempDir& dir, const Streams& streams, const Peer& peer, bool walks) {
  dir.make_directory("root/sub/deep");
  dir.write("root/sub/file", World::pattern());
  dir.write("root/sub/other", "other");
  dir.link("sub/file", "root/to_file");
  dir.link("../sub", "root/sub/to_sub");
  Config config = with_directory(dir / "root", Access::read_write, walks);
  config.args = {"program", "argument"};
  config.env = {"NAME=value"};
  config.in = {.kind = Stdio::Kind::fd, .fd = streams.guest_in};
  config.out = {.kind = Stdio::Kind::fd, .fd = streams.guest_out};
  config.err = {.kind = Stdio::Kind::fd, .fd = peer.listener};
  return config;
}

}  // namespace

Streams::Streams() {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) FAIL("no pipes: errno " << errno);
  guest_in = in[0];
  in_ = in[1];
  out_ = out[0];
  guest_out = out[1];
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

Streams::~Streams() {
  for (const int fd : {guest_in, guest_out, in_, out_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Streams::put(std::string_view bytes) {
  if (::write(in_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) FAIL("a pipe takes nothing");
}

void Streams::make_small() {
  if (::fcntl(guest_out, F_SETPIPE_SZ, 4096) != 4096) FAIL("a pipe cannot be made smaller");
}

void Streams::end() {
  ::close(in_);
  in_ = -1;
}

void Streams::fill() {
  // The flag belongs to the open file, which the guest's descriptor shares: it is set for the moment only.
  ::fcntl(guest_out, F_SETFL, O_NONBLOCK);
  const std::string zeros(4096, '\0');
  for (const std::size_t piece : {zeros.size(), std::size_t{1}}) {
    ssize_t moved = 0;
    while ((moved = ::write(guest_out, zeros.data(), piece)) > 0) filling_ += static_cast<std::size_t>(moved);
  }
  ::fcntl(guest_out, F_SETFL, 0);
}

void Streams::drain() {
  char bytes[65536];
  ssize_t moved = 0;
  while ((moved = ::read(out_, bytes, sizeof(bytes))) > 0) taken_.append(bytes, static_cast<std::size_t>(moved));
}

std::string Streams::taken() {
  drain();
  return taken_.substr(filling_);
}

Peer::Peer() {
  listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0 || ::listen(listener, 8) != 0) {
    FAIL("cannot listen: errno " << errno);
  }
}

Peer::~Peer() {
  for (const int fd : {listener, connection_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Peer::connect() {
  sockaddr_in to{};
  socklen_t size = sizeof(to);
  connection_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&to), &size) != 0 ||
      ::connect(connection_, reinterpret_cast<const sockaddr*>(&to), size) != 0) {
    FAIL("cannot connect: errno " << errno);
  }
}

void Peer::put(std::string_view bytes) const {
  if (::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    FAIL("a connection takes nothing");
  }
}

void Peer::end() const { ::shutdown(connection_, SHUT_WR); }

std::string Peer::taken() const {
  std::string all;
  char bytes[4096];
  ssize_t moved = 0;
  while ((moved = ::recv(connection_, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
    all.append(bytes, static_cast<std::size_t>(moved));
  }
  return all + (moved == 0 ? " and the end" : "");
}

const std::string& World::pattern() {
  static const std::string bytes = [] {
    std::string text;
    for (std::size_t i = 0; i < kBytes; ++i) text += static_cast<char>('!' + i * 31 % 89);
    return text;
  }();
  return bytes;
}

World::World(bool walks) : guest(configuration(dir, streams, peer, walks)) {
  out = guest.allocate(128);
  data = guest.allocate(kBytes);
  buffers = guest.iovs({{data, 100}, {data + 100, 0}, {data + 100, 4900}, {data + 5000, 4000}});
}

std::uint32_t World::open(std::string_view path, std::uint32_t oflags, std::uint16_t fdflags) {
  const Guest::Opened opened = guest.open(path, oflags, right::kAll, kRoot, lookupflag::symlink_follow, fdflags);
  REQUIRE(opened.error == Errno::success);
  return opened.fd;
}

Snapshot snapshot(const std::filesystem::path& path, bool comparable) {
  Snapshot found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    struct stat status{};
    if (::lstat(entry.path().c_str(), &status) != 0) FAIL("cannot look at " << entry.path());
    std::string text = fmt::format("mode {:o}, {} links", status.st_mode, status.st_nlink);
    if (S_ISREG(status.st_mode)) {
      std::ifstream file(entry.path(), std::ios::binary);
      text += fmt::format(", {} blocks or more, content ", status.st_blocks > 64 ? 64 : 0);
      text.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    } else if (S_ISLNK(status.st_mode)) {
      text += " to " + std::filesystem::read_symlink(entry.path()).string();
    }
    if (!comparable) {
      text += fmt::format(", inode {}, written {}.{:09}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    }
    found.emplace(entry.path().lexically_relative(path).string(), text);
  }
  return found;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) FAIL("no /proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace wasi::preview1::test
