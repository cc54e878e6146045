// Sockets: taking connections, receiving and sending, what is refused, and how programs are given them.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "guest.h"
#include "os/unique_fd.h"
#include "runtime/store.h"
#include "support/temp_dir.h"
#include "wasi/given_socket.h"

namespace wasi::preview1 {
namespace {

using os::UniqueFd;
using test::Guest;

constexpr std::uint32_t kSocket = 3;
constexpr std::uint16_t kNoFlags = 0;

std::shared_ptr<GivenSocket> listen(std::string_view address) {
  auto socket = GivenSocket::listen(address);
  if (!socket) FAIL(socket.error().to_string());
  return *socket;
}

Config with_socket(std::shared_ptr<GivenSocket> socket) {
  Config config;
  config.sockets = {std::move(socket)};
  return config;
}

// Two connected ones: the program's, and ours.
struct Pair {
  std::shared_ptr<GivenSocket> given;
  UniqueFd ours;
  explicit Pair(int type = SOCK_STREAM) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, type, 0, ends) == 0);
    ours.reset(ends[1]);
    given = *GivenSocket::adopt(ends[0]);
  }
  void send(std::string_view text) const {
    REQUIRE(::send(ours.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  // What has come, up to a size.
  [[nodiscard]] std::string receive(std::size_t size = 100) const {
    std::string text(size, '\0');
    const ssize_t got = ::recv(ours.get(), text.data(), size, 0);
    REQUIRE(got >= 0);
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
};

// A client of a listener that GivenSocket made.
UniqueFd connect_to(const GivenSocket& listener) {
  sockaddr_storage to{};
  socklen_t size = sizeof(to);
  REQUIRE(::getsockname(listener.descriptor(), reinterpret_cast<sockaddr*>(&to), &size) == 0);
  UniqueFd client(::socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0);
  return client;
}

struct Accepted {
  Errno error;
  std::uint32_t fd;
};
Accepted accept(Guest& guest, std::uint16_t flags = kNoFlags, std::uint32_t fd = kSocket) {
  const std::uint32_t out = guest.allocate(4);
  const Errno error = guest.call("sock_accept", {fd, flags, out});
  return {error, guest.read<std::uint32_t>(out)};
}

struct Heard {
  Errno error;
  std::string text;
  std::uint16_t flags;
};
// Into two buffers, the first of which is small.
Heard receive(Guest& guest, std::uint32_t fd, std::uint32_t size, std::uint16_t flags = kNoFlags) {
  const std::uint32_t first = guest.allocate(2);
  const std::uint32_t rest = guest.allocate(size);
  const std::uint32_t out = guest.allocate(8);
  guest.write(out + 4, std::uint16_t{0xFFFF});
  Heard heard{guest.call("sock_recv", {fd, guest.iovs({{first, 2}, {rest, size - 2}}), 2, flags, out, out + 4}), "", 0};
  if (heard.error != Errno::success) return heard;
  const auto count = guest.read<std::uint32_t>(out);
  REQUIRE(count <= size);
  heard.text = guest.text(first, std::min(count, 2U)) + guest.text(rest, count - std::min(count, 2U));
  heard.flags = guest.read<std::uint16_t>(out + 4);
  return heard;
}

Errno send(Guest& guest, std::uint32_t fd, std::string_view text, std::uint32_t flags = 0) {
  const std::uint32_t out = guest.allocate(4);
  const Errno error = guest.call(
      "sock_send", {fd, guest.iovs({{guest.put(text), static_cast<std::uint32_t>(text.size())}}), 1, flags, out});
  if (error == Errno::success) CHECK(guest.read<std::uint32_t>(out) == text.size());
  return error;
}

Event poll_one(Guest& guest, std::uint32_t fd, EventType type) {
  Subscription subscription{};
  subscription.type = type;
  subscription.clock_or_fd = fd;
  const std::uint32_t in = guest.allocate(sizeof(subscription));
  guest.write(in, subscription);
  const std::uint32_t out = guest.allocate(sizeof(Event));
  const std::uint32_t count = guest.allocate(4);
  REQUIRE(guest.call("poll_oneoff", {in, out, 1, count}) == Errno::success);
  REQUIRE(guest.read<std::uint32_t>(count) == 1);
  return guest.read<Event>(out);
}

void keep_deadline(Guest& guest, std::chrono::milliseconds after) {
  guest.store().keep_deadline(std::chrono::steady_clock::now() + after);
}

bool was_stopped(const Guest& guest) { return guest.trap() && guest.trap()->code == TrapCode::deadline_exceeded; }

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_CASE("a program takes connections and talks to them", "[sock]") {
  const wasi::test::TempDir dir;
  const bool is_tcp = GENERATE(true, false);
  const auto listener = listen(is_tcp ? "tcp:127.0.0.1:0" : "unix:" + (dir / "socket").string());
  Guest guest(with_socket(listener));
  CHECK(guest.fdstat(kSocket).type == FileType::socket_stream);
  REQUIRE(guest.call("fd_fdstat_set_flags", {kSocket, 0}) == Errno::success);
  const UniqueFd first = connect_to(*listener);
  const UniqueFd second = connect_to(*listener);
  CHECK(poll_one(guest, kSocket, EventType::fd_read).error == Errno::success);
  const auto [error, fd] = accept(guest);
  REQUIRE(error == Errno::success);
  const auto [error2, fd2] = accept(guest, fdflag::nonblock);
  REQUIRE(error2 == Errno::success);
  CHECK(fd != fd2);
  CHECK(guest.fdstat(fd).flags == 0);
  CHECK(guest.fdstat(fd2).flags == fdflag::nonblock);
  CHECK(guest.fdstat(fd).type == FileType::socket_stream);
  CHECK(guest.fdstat(fd).rights_base == right::kOfSockets);
  const std::uint32_t stat = guest.allocate(sizeof(FileStat));
  REQUIRE(guest.call("fd_filestat_get", {fd, stat}) == Errno::success);
  CHECK(guest.read<FileStat>(stat).type == FileType::socket_stream);

  REQUIRE(::send(first.get(), "hello", 5, 0) == 5);
  CHECK(poll_one(guest, fd, EventType::fd_read).nbytes == 5);
  CHECK(receive(guest, fd, 100).text == "hello");
  CHECK(receive(guest, fd2, 100).error == Errno::again);
  CHECK(guest.read_text(fd2) == "EAGAIN");
  CHECK(send(guest, fd, "good ") == Errno::success);
  CHECK(guest.write_text(fd, "day") == Errno::success);
  char buffer[16];
  CHECK(::recv(first.get(), buffer, 8, MSG_WAITALL) == 8);
  CHECK(std::string_view(buffer, 8) == "good day");
  // The end, of each direction by itself.
  REQUIRE(guest.call("sock_shutdown", {fd, sdflag::wr}) == Errno::success);
  CHECK(::recv(first.get(), buffer, 8, 0) == 0);
  CHECK(send(guest, fd, "more") == Errno::pipe);
  CHECK(guest.write_text(fd, "more") == Errno::pipe);
  REQUIRE(::send(first.get(), "last", 4, 0) == 4);
  REQUIRE(::shutdown(first.get(), SHUT_WR) == 0);
  CHECK(guest.read_text(fd) == "last");
  CHECK(receive(guest, fd, 100).text.empty());
  CHECK(poll_one(guest, fd, EventType::fd_read).flags == eventrwflag::hangup);
  REQUIRE(guest.call("fd_close", {fd}) == Errno::success);
  REQUIRE(guest.call("fd_close", {fd2}) == Errno::success);
  CHECK(::recv(second.get(), buffer, 8, 0) == 0);
}

TEST_CASE("looking and waiting for all", "[sock]") {
  const Pair pair;
  Guest guest(with_socket(pair.given));
  pair.send("hello");
  CHECK(receive(guest, kSocket, 3, riflag::recv_peek).text == "hel");
  CHECK(receive(guest, kSocket, 100, riflag::recv_peek).text == "hello");
  CHECK(receive(guest, kSocket, 5, riflag::recv_peek | riflag::recv_waitall).text == "hello");
  CHECK(receive(guest, kSocket, 5, riflag::recv_waitall).text == "hello");

  const std::uint16_t peeks = GENERATE(0, static_cast<int>(riflag::recv_peek));
  std::thread writer([&] {
    for (const char* piece : {"a", "bcd", "e", "fghij"}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      (void)!::write(pair.ours.get(), piece, std::strlen(piece));
    }
  });
  const Heard heard = receive(guest, kSocket, 10, static_cast<std::uint16_t>(peeks | riflag::recv_waitall));
  writer.join();
  CHECK(heard.text == "abcdefghij");
  CHECK(heard.flags == 0);
  if (peeks != 0) CHECK(guest.read_text(kSocket) == "abcdefghij");

  // Nobody who must stop waits for the rest.
  pair.send("some");
  keep_deadline(guest, std::chrono::milliseconds(10));
  receive(guest, kSocket, 10, static_cast<std::uint16_t>(peeks | riflag::recv_waitall));
  CHECK(was_stopped(guest));
}

TEST_CASE("who waits for all gets less at the end", "[sock]") {
  Pair pair;
  Guest guest(with_socket(pair.given));
  const std::uint16_t peeks = GENERATE(0, static_cast<int>(riflag::recv_peek));
  pair.send("some");
  pair.ours.reset();
  CHECK(receive(guest, kSocket, 10, static_cast<std::uint16_t>(peeks | riflag::recv_waitall)).text == "some");
  if (peeks != 0) CHECK(guest.read_text(kSocket) == "some");
  CHECK(receive(guest, kSocket, 10, static_cast<std::uint16_t>(peeks | riflag::recv_waitall)).text.empty());
}

TEST_CASE("who does not wait gets what there is", "[sock]") {
  const Pair pair;
  Guest guest(with_socket(pair.given));
  REQUIRE(guest.call("fd_fdstat_set_flags", {kSocket, fdflag::nonblock}) == Errno::success);
  CHECK(receive(guest, kSocket, 10, riflag::recv_waitall).error == Errno::again);
  CHECK(receive(guest, kSocket, 10, riflag::recv_peek).error == Errno::again);
  pair.send("some");
  CHECK(receive(guest, kSocket, 10, riflag::recv_waitall).text == "some");
  // A write that would have to wait moves a part.
  const std::uint32_t text = guest.allocate(60'000);
  const std::uint32_t out = guest.allocate(4);
  const std::uint32_t buffers = guest.iovs({{text, 60'000}});
  Errno error = Errno::success;
  int writes = 0;
  while (error == Errno::success && writes < 1000) {
    error = guest.call("sock_send", {kSocket, buffers, 1, 0, out});
    ++writes;
  }
  CHECK(error == Errno::again);
  CHECK((::fcntl(pair.given->descriptor(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("datagrams come whole, or cut and told so", "[sock]") {
  const Pair pair(SOCK_DGRAM);
  Guest guest(with_socket(pair.given));
  CHECK(guest.fdstat(kSocket).type == FileType::socket_dgram);
  pair.send("first");
  pair.send("second");
  pair.send("third");
  pair.send("");
  Heard heard = receive(guest, kSocket, 100);
  CHECK(heard.text == "first");
  CHECK(heard.flags == 0);
  heard = receive(guest, kSocket, 3, riflag::recv_peek);
  CHECK(heard.text == "sec");
  CHECK(heard.flags == roflag::recv_data_truncated);
  heard = receive(guest, kSocket, 4);
  CHECK(heard.text == "seco");
  CHECK(heard.flags == roflag::recv_data_truncated);
  CHECK(receive(guest, kSocket, 100, riflag::recv_waitall).text == "third");
  heard = receive(guest, kSocket, 100, riflag::recv_waitall);
  CHECK(heard.error == Errno::success);
  CHECK(heard.text.empty());
  CHECK(send(guest, kSocket, "answer") == Errno::success);
  CHECK(send(guest, kSocket, "") == Errno::success);
  CHECK(pair.receive() == "answer");
  CHECK(pair.receive().empty());
}

TEST_CASE("what is wrong with a socket or with what is asked of it", "[sock]") {
  const auto listener = listen("tcp:127.0.0.1:0");
  const Pair pair;
  const Pair datagrams(SOCK_DGRAM);
  Config config;
  config.sockets = {listener, pair.given, datagrams.given};
  Guest guest(config);
  constexpr std::uint32_t kConnection = 4;
  const std::uint32_t out = guest.allocate(16);
  const std::uint32_t buffers = guest.iovs({{guest.allocate(8), 8}});
  for (const auto& [fd, expected] : {std::pair{1U, Errno::notsock}, std::pair{99U, Errno::badf}}) {
    INFO(fd);
    CHECK(guest.call("sock_shutdown", {fd, sdflag::rd}) == expected);
    CHECK(guest.call("sock_accept", {fd, 0, out}) == expected);
    CHECK(guest.call("sock_recv", {fd, buffers, 1, 0, out, out + 8}) == expected);
    CHECK(guest.call("sock_send", {fd, buffers, 1, 0, out}) == expected);
  }
  for (const std::uint64_t how : {0U, 4U, 7U, 0x100U})
    CHECK(guest.call("sock_shutdown", {kConnection, how}) == Errno::inval);
  CHECK(guest.call("sock_recv", {kConnection, buffers, 1, 4, out, out + 8}) == Errno::inval);
  CHECK(guest.call("sock_send", {kConnection, buffers, 1, 1, out}) == Errno::inval);
  CHECK(guest.call("sock_accept", {kSocket, fdflag::append, out}) == Errno::inval);
  CHECK(guest.call("sock_accept", {kSocket, 64, out}) == Errno::inval);
  // What only a connection, and what only a listener can do.
  CHECK(accept(guest, 0, kConnection).error == Errno::inval);
  CHECK(accept(guest, 0, 5).error == Errno::notsup);
  CHECK(guest.call("sock_recv", {kSocket, buffers, 1, 0, out, out + 8}) == Errno::notconn);
  CHECK(guest.read_text(kSocket) == "ENOTCONN");
  CHECK(guest.call("sock_send", {kSocket, buffers, 1, 0, out}) != Errno::success);
  // The listener is others' too: it goes on listening.
  CHECK(guest.call("sock_shutdown", {kSocket, sdflag::rd | sdflag::wr}) == Errno::notconn);
  const UniqueFd client = connect_to(*listener);
  CHECK(accept(guest).error == Errno::success);
  // And it is no file.
  CHECK(guest.call("fd_seek", {kConnection, 0, 0, out}) == Errno::spipe);
  CHECK(guest.call("fd_pread", {kConnection, buffers, 1, 0, out}) != Errno::success);
  CHECK(guest.call("path_open", {kConnection, 0, guest.put("x"), 1, 0, 0, 0, 0, out}) == Errno::notdir);
}

TEST_CASE("a peer that has gone is an error and no signal", "[sock]") {
  const auto listener = listen("tcp:127.0.0.1:0");
  Guest guest(with_socket(listener));
  UniqueFd client = connect_to(*listener);
  const auto [error, fd] = accept(guest);
  REQUIRE(error == Errno::success);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  REQUIRE(::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
  client.reset();
  CHECK(receive(guest, fd, 10).error == Errno::connreset);
  CHECK(send(guest, fd, "hello") == Errno::pipe);
}

TEST_CASE("rights of sockets, and what connections inherit", "[sock]") {
  const auto listener = listen("tcp:127.0.0.1:0");
  Guest guest(with_socket(listener));
  const UniqueFd client = connect_to(*listener);
  const UniqueFd other = connect_to(*listener);
  const Rights kept = right::fd_read | right::sock_shutdown;
  REQUIRE(guest.call("fd_fdstat_set_rights", {kSocket, right::kOfSockets, kept}) == Errno::success);
  const auto [error, fd] = accept(guest);
  REQUIRE(error == Errno::success);
  CHECK(guest.fdstat(fd).rights_base == kept);
  CHECK(guest.fdstat(fd).rights_inheriting == kept);
  CHECK(send(guest, fd, "hello") == Errno::badf);
  CHECK(guest.call("fd_fdstat_set_rights", {fd, right::fd_read | right::fd_write, 0}) == Errno::notcapable);
  REQUIRE(guest.call("fd_fdstat_set_rights", {fd, right::fd_read, 0}) == Errno::success);
  CHECK(guest.call("sock_shutdown", {fd, sdflag::wr}) == Errno::notcapable);
  REQUIRE(guest.call("fd_fdstat_set_rights", {kSocket, right::fd_read, 0}) == Errno::success);
  CHECK(accept(guest).error == Errno::notcapable);
}

TEST_CASE("descriptors that a peer sends along do not get in", "[sock]") {
  const Pair pair;
  Guest guest(with_socket(pair.given));
  const std::size_t before = open_descriptors();
  std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 'x';
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int sent = pair.ours.get();
  std::memcpy(CMSG_DATA(header), &sent, sizeof(sent));
  for (int i = 0; i < 2; ++i) REQUIRE(::sendmsg(pair.ours.get(), &message, 0) == 1);
  CHECK(receive(guest, kSocket, 10).text == "x");
  CHECK(guest.read_text(kSocket) == "x");
  CHECK(open_descriptors() == before);
}

TEST_CASE("a given socket waits until the program asks how it is", "[sock]") {
  const auto listener = listen("tcp:127.0.0.1:0");
  const bool looks = GENERATE(false, true);
  Guest guest(with_socket(listener));
  if (looks) CHECK(guest.fdstat(kSocket).flags == fdflag::nonblock);
  keep_deadline(guest, std::chrono::milliseconds(5));
  if (looks) {
    CHECK(accept(guest).error == Errno::again);
    CHECK(guest.fdstat(kSocket).flags == fdflag::nonblock);
    REQUIRE(guest.call("fd_fdstat_set_flags", {kSocket, 0}) == Errno::success);
    CHECK(guest.fdstat(kSocket).flags == 0);
    keep_deadline(guest, std::chrono::milliseconds(5));
  }
  accept(guest);
  CHECK(was_stopped(guest));
}

TEST_CASE("directories come behind the sockets, and programs that look for them find them", "[sock]") {
  const wasi::test::TempDir dir;
  Config config = test::with_directory(dir.path());
  config.sockets = {listen("tcp:127.0.0.1:0"), listen("tcp:127.0.0.1:0")};
  Guest guest(config);
  const std::uint32_t out = guest.allocate(sizeof(PreStat));
  // As C libraries do it.
  std::vector<std::uint32_t> directories;
  std::uint32_t fd = 3;
  for (; guest.call("fd_prestat_get", {fd, out}) == Errno::success; ++fd) {
    if (guest.read<PreStat>(out).tag == 0) directories.push_back(fd);
  }
  CHECK(guest.call("fd_prestat_get", {fd, out}) == Errno::badf);
  CHECK(directories == std::vector<std::uint32_t>{5});
  CHECK(guest.call("fd_prestat_dir_name", {kSocket, out, 8}) == Errno::badf);
}

TEST_CASE("programs on many threads take connections from one listener, and the one that talks is not held up",
          "[sock]") {
  constexpr std::size_t kGuests = 12;
  const auto listener = listen("tcp:127.0.0.1:0");
  std::vector<std::unique_ptr<Guest>> guests;
  for (std::size_t i = 0; i < kGuests; ++i) guests.push_back(std::make_unique<Guest>(with_socket(listener)));
  // All wait; each that gets a connection gives back what comes, and ends.
  std::vector<std::future<bool>> served;
  for (const auto& guest : guests) {
    served.push_back(std::async(std::launch::async, [&guest] {
      guest->store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60));
      const std::uint32_t out = guest->allocate(8);
      const std::uint32_t buffer = guest->allocate(16);
      if (guest->call("sock_accept", {kSocket, 0, out}) != Errno::success) return false;
      const auto fd = guest->read<std::uint32_t>(out);
      for (int i = 0; i < 3; ++i) {
        if (guest->call("fd_read", {fd, guest->iovs({{buffer, 16}}), 1, out}) != Errno::success) return false;
        if (guest->call("fd_write", {fd, guest->iovs({{buffer, guest->read<std::uint32_t>(out)}}), 1, out}) !=
            Errno::success) {
          return false;
        }
      }
      return true;
    }));
  }
  // The last to connect is the first to be answered: the others wait all the while.
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < kGuests; ++i) clients.push_back(connect_to(*listener));
  std::ranges::reverse(clients);
  for (const UniqueFd& client : clients) {
    for (const char* text : {"one", "two", "three"}) {
      char buffer[16];
      const std::size_t size = std::strlen(text);
      CHECK(::send(client.get(), text, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
      CHECK(::recv(client.get(), buffer, size, MSG_WAITALL) == static_cast<ssize_t>(size));
      CHECK(std::string_view(buffer, size) == text);
    }
  }
  for (auto& one : served) CHECK(one.get());
}

TEST_CASE("a program that waits for a connection is stopped by an interruption", "[sock]") {
  Guest guest(with_socket(listen("tcp:127.0.0.1:0")));
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    guest.store().interrupt();
  });
  accept(guest);
  other.join();
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::interrupted);
}

TEST_CASE("stdio may be a connection, or a listener", "[sock]") {
  const Pair pair;
  const auto listener = listen("tcp:127.0.0.1:0");
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = listener->descriptor()};
  config.out = {.kind = Stdio::Kind::fd, .fd = pair.given->descriptor()};
  Guest guest(config);
  CHECK(guest.fdstat(0).type == FileType::socket_stream);
  CHECK(guest.fdstat(0).flags == 0);
  CHECK(guest.write_text(1, "hello") == Errno::success);
  CHECK(pair.receive() == "hello");
  CHECK(receive(guest, 1, 10).error == Errno::badf);
  const UniqueFd client = connect_to(*listener);
  REQUIRE(::send(client.get(), "question", 8, 0) == 8);
  const auto [error, fd] = accept(guest, 0, 0);
  REQUIRE(error == Errno::success);
  CHECK(guest.read_text(fd) == "question");
}

TEST_CASE("addresses to listen at", "[sock]") {
  const auto listener = listen("tcp:127.0.0.1:0");
  const std::string address = listener->address();
  CHECK_THAT(address, Catch::StartsWith("tcp:127.0.0.1:"));
  CHECK_FALSE(address.ends_with(":0"));
  CHECK_THAT(listen("tcp:localhost:0")->address(), Catch::StartsWith("tcp:"));
  const auto taken = GivenSocket::listen(address);
  REQUIRE_FALSE(taken);
  CHECK_THAT(taken.error().message, Catch::Contains(address) && Catch::Contains("in use"));
  const Pair datagrams(SOCK_DGRAM);
  CHECK(datagrams.given->address().empty());

  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string_view wrong : std::initializer_list<std::string_view>{
           "", "tcp:", "8080", "tcp:8080", "tcp::8080", "tcp:[]:80", "tcp:::1:80",
           "tcp:127.0.0.1:", "tcp:127.0.0.1:http", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:-1", "udp:127.0.0.1:80",
           "unix:", "tcp:[::1", long_path, std::string_view("unix:a\0b", 8)}) {
    INFO(wrong);
    const auto refused = GivenSocket::listen(wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::argument);
    CHECK_THAT(refused.error().message, Catch::Contains("\""));
  }
  const auto foreign = GivenSocket::listen("tcp:192.0.2.1:0");
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().kind == ErrorKind::io);
}

TEST_CASE("the file of a unix socket comes and goes with it", "[sock]") {
  const wasi::test::TempDir dir;
  const std::filesystem::path path = dir / "socket";
  const std::string address = "unix:" + path.string();
  {
    const auto listener = listen(address);
    CHECK(listener->address() == address);
    CHECK(std::filesystem::is_socket(path));
    const auto second = GivenSocket::listen(address);
    REQUIRE_FALSE(second);
    CHECK_THAT(second.error().message, Catch::Contains("another process"));
    // A program that runs keeps it, whatever becomes of the handle.
    Guest guest(with_socket(listener));
    (void)connect_to(*listener);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  // What a server that was killed has left is replaced.
  {
    const UniqueFd killed(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::ranges::copy(path.string(), to.sun_path);
    REQUIRE(::bind(killed.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0);
  }
  REQUIRE(std::filesystem::is_socket(path));
  {
    const auto listener = listen(address);
    (void)connect_to(*listener);
    // What somebody else has put there since is theirs.
    std::filesystem::remove(path);
    dir.write("socket", "not mine");
  }
  CHECK(std::filesystem::exists(path));
  const auto refused = GivenSocket::listen(address);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("no socket"));
  CHECK(dir.read("socket") == "not mine");
  CHECK_FALSE(GivenSocket::listen("unix:" + (dir / "nowhere" / "socket").string()));
}

TEST_CASE("only open sockets are taken over", "[sock]") {
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto refused = GivenSocket::adopt(file.get());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("it is none"));
  CHECK(::fcntl(file.get(), F_GETFD) >= 0);
  CHECK_FALSE(GivenSocket::adopt(-1));
}

}  // namespace
}  // namespace wasi::preview1
