// Functions of the embedder's in the midst of calls: they grow the guest's memory, which moves, close what is in use,
// and call the guest again.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "guest.h"
#include "os/unique_fd.h"
#include "runtime/store.h"
#include "support/moving_memory.h"
#include "wasi/embedder_stream.h"
#include "wasi/given_socket.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using Transferred = std::expected<std::size_t, std::errc>;

Config with_output(WriteFunction function) {
  Config config;
  config.out = {.kind = Stdio::Kind::file, .file = make_output(std::move(function))};
  return config;
}
Config with_input(ReadFunction function) {
  Config config;
  config.in = {.kind = Stdio::Kind::file, .file = make_input(std::move(function))};
  return config;
}

// A guest whose memory moves each time that move() is called.
struct MovingGuest {
  Guest guest;
  wasi::test::Mover mover;

  explicit MovingGuest(Config config)
      : guest(std::move(config), true, runtime::BoundsChecks::explicit_checks),
        mover([this] { return guest.memory(); }) {}
  void move() {
    mover.move([this] { guest.grow_memory(); });
  }
  // What has been transferred, with its count at `out`.
  Errno transfer(std::string_view function, std::uint32_t fd, std::uint32_t iovs, std::uint32_t count,
                 std::uint32_t out) {
    return guest.call(function, {fd, iovs, count, out});
  }
};

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    for (const int end : ends) ::close(end);
  }
  void fill() const {
    REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const char page[4096] = {};
    while (::write(ends[1], page, sizeof(page)) > 0) {
    }
    REQUIRE(::fcntl(ends[1], F_SETFL, 0) == 0);
  }
  void empty() const {
    REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    char page[4096];
    while (::read(ends[0], page, sizeof(page)) > 0) {
    }
    REQUIRE(::fcntl(ends[0], F_SETFL, 0) == 0);
  }
};

TEST_CASE("a writer may grow the guest's memory at every call", "[callback]") {
  std::string written;
  std::function<void()> move;
  const std::size_t most = GENERATE(1, 2, 100);
  MovingGuest moving(with_output([&](std::span<const std::uint8_t> bytes) -> Transferred {
    move();
    const std::size_t size = std::min(bytes.size(), most);
    // What it was given is still there.
    written.append(reinterpret_cast<const char*>(bytes.data()), size);
    return size;
  }));
  move = [&] { moving.move(); };
  Guest& guest = moving.guest;
  const std::uint32_t text = guest.put("0123456789");
  const std::uint32_t iovs = guest.iovs({{text, 3}, {text + 3, 0}, {text + 3, 5}, {text + 8, 2}});
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(moving.transfer("fd_write", 1, iovs, 4, out) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 10);
  CHECK(written == "0123456789");
  CHECK(moving.mover.moves() >= 3);
  CHECK(moving.mover.is_left_alone());
}

TEST_CASE("a writer gets everything, also where it is more than is copied at once", "[callback]") {
  std::string written;
  std::function<void()> move;
  MovingGuest moving(with_output([&](std::span<const std::uint8_t> bytes) -> Transferred {
    if (written.empty()) move();
    written.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return bytes.size();
  }));
  move = [&] { moving.move(); };
  Guest& guest = moving.guest;
  constexpr std::uint32_t kSize = 100'000;
  const std::uint32_t text = guest.allocate(kSize);
  for (std::uint32_t i = 0; i < kSize; ++i) guest.write(text + i, static_cast<std::uint8_t>('a' + i % 23));
  const std::uint32_t iovs = guest.iovs({{text, 10}, {text + 10, kSize - 10}, {text, kSize}});
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(moving.transfer("fd_write", 1, iovs, 3, out) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 2 * kSize);
  CHECK((written == guest.text(text, kSize) + guest.text(text, kSize)));
  CHECK(moving.mover.is_left_alone());
}

TEST_CASE("a reader may grow the guest's memory before it gives anything", "[callback]") {
  int calls = 0;
  std::function<void()> move;
  MovingGuest moving(with_input([&](std::span<std::uint8_t> room) -> Transferred {
    move();
    if (++calls == 1) return std::unexpected(std::errc::resource_unavailable_try_again);
    REQUIRE(room.size() == 8);
    std::memcpy(room.data(), "given", 5);
    // One more than was filled: the guest keeps what it has there.
    return 6;
  }));
  move = [&] { moving.move(); };
  Guest& guest = moving.guest;
  const std::uint32_t buffer = guest.put("12345678");
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(moving.transfer("fd_read", 0, guest.iovs({{buffer, 0}, {buffer, 8}, {buffer, 3}}), 3, out) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 6);
  CHECK(guest.text(buffer, 8) == "given678");
  CHECK(moving.mover.moves() == 2);
  CHECK(moving.mover.is_left_alone());
}

TEST_CASE("the trace's sink may grow the guest's memory while a call waits, and when it is over", "[callback]") {
  Pipe in;
  Pipe out;
  int connection[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection) == 0);
  std::function<void()> ready;
  std::function<void()> move = [] {};
  std::vector<std::string> lines;
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = in.ends[0]};
  config.out = {.kind = Stdio::Kind::fd, .fd = out.ends[1]};
  config.sockets = {*GivenSocket::adopt(connection[0])};
  config.trace.sink = [&](std::string_view line) {
    lines.emplace_back(line);
    move();
    if (line.ends_with("<unfinished ...>")) ready();
  };
  MovingGuest moving(config);
  Guest& guest = moving.guest;
  const std::uint32_t text = guest.put("0123456789");
  const std::uint32_t buffer = guest.allocate(16);
  const std::uint32_t place = guest.allocate(16);
  const std::uint32_t iovs = guest.iovs({{buffer, 3}, {buffer + 3, 5}});
  move = [&] { moving.move(); };
  // Should nothing wake it.
  REQUIRE(guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  SECTION("fd_read") {
    ready = [&] { REQUIRE(::write(in.ends[1], "hello", 5) == 5); };
    REQUIRE(guest.call("fd_read", {0, iovs, 2, place}) == Errno::success);
    CHECK(guest.read<std::uint32_t>(place) == 5);
    CHECK(guest.text(buffer, 5) == "hello");
    CHECK(lines.back() == R"(<... fd_read resumed>, iovs=[{"hel", 3}, {"lo", 5}], nread=[5]) = 0)");
  }
  SECTION("fd_write") {
    out.fill();
    ready = [&] { out.empty(); };
    const std::uint32_t whole = guest.iovs({{text, 4}, {text + 4, 6}});
    REQUIRE(guest.call("fd_write", {1, whole, 2, place}) == Errno::success);
    CHECK(guest.read<std::uint32_t>(place) == 10);
    char bytes[16];
    REQUIRE(::read(out.ends[0], bytes, sizeof(bytes)) == 10);
    CHECK(std::string_view(bytes, 10) == "0123456789");
  }
  SECTION("sock_recv, of everything") {
    ready = [&] { REQUIRE(::send(connection[1], "12345678", 8, 0) == 8); };
    REQUIRE(::send(connection[1], "1234", 4, 0) == 4);
    // The second half comes when the call waits for it; the first is received again.
    const bool peeks = GENERATE(false, true);
    const std::uint64_t flags = riflag::recv_waitall | (peeks ? riflag::recv_peek : 0);
    REQUIRE(guest.call("sock_recv", {3, iovs, 2, flags, place, place + 8}) == Errno::success);
    CHECK(guest.read<std::uint32_t>(place) == 8);
    CHECK(guest.text(buffer, 8) == "12341234");
  }
  SECTION("poll_oneoff") {
    ready = [&] { REQUIRE(::write(in.ends[1], "hello", 5) == 5); };
    const std::string_view module = GENERATE(kModuleName, kOldModuleName);
    guest.use_module(module);
    const std::uint32_t subscription = guest.allocate(64);
    guest.write(subscription, std::uint64_t{77});
    guest.write(subscription + 8, EventType::fd_read);
    const std::uint32_t events = guest.allocate(sizeof(Event));
    REQUIRE(guest.call("poll_oneoff", {subscription, events, 1, place}) == Errno::success);
    CHECK(guest.read<std::uint32_t>(place) == 1);
    CHECK(guest.read<Event>(events).userdata == 77);
    CHECK(guest.read<Event>(events).nbytes == 5);
    CHECK_THAT(lines.back(), Catch::Contains("events=[{userdata=0x4d, fd_read, nbytes=5, flags=0}], nevents=[1]"));
  }
  CHECK(moving.mover.moves() == 2);
  CHECK(moving.mover.is_left_alone());
  ::close(connection[1]);
}

TEST_CASE("the trace's sink may grow the guest's memory when a connection is waited for", "[callback]") {
  const auto listener = *GivenSocket::listen("tcp:127.0.0.1:0");
  std::function<void()> ready;
  std::function<void()> move;
  Config config;
  config.sockets = {listener};
  config.trace.sink = [&](std::string_view line) {
    move();
    if (line.ends_with("<unfinished ...>")) ready();
  };
  MovingGuest moving(config);
  move = [&] { moving.move(); };
  REQUIRE(moving.guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  sockaddr_storage to{};
  socklen_t size = sizeof(to);
  REQUIRE(::getsockname(listener->descriptor(), reinterpret_cast<sockaddr*>(&to), &size) == 0);
  const os::UniqueFd client(::socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ready = [&] { REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0); };
  const std::uint32_t out = moving.guest.allocate(4);
  REQUIRE(moving.guest.call("sock_accept", {3, 0, out}) == Errno::success);
  CHECK(moving.guest.read<std::uint32_t>(out) == 4);
  CHECK(moving.mover.is_left_alone());
}

TEST_CASE("a function may close the stream that it serves, or put another in its place", "[callback]") {
  std::optional<Guest> guest;
  int writes = 0;
  const bool renumbers = GENERATE(false, true);
  // Goes with the stream, which is used to the end all the same.
  const auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = token;
  {
    Config config = with_output([&, token = token](std::span<const std::uint8_t> bytes) -> Transferred {
      if (++writes == 1) {
        CHECK((renumbers ? guest->call("fd_renumber", {2, 1}) : guest->call("fd_close", {1})) == Errno::success);
      }
      return *token != 0 ? 1 : bytes.size();
    });
    guest.emplace(std::move(config));
  }
  CHECK(guest->write_text(1, "abc") == Errno::success);
  CHECK(writes == 3);
  CHECK(guest->write_text(1, "abc") == (renumbers ? Errno::success : Errno::badf));
  CHECK(writes == 3);
  CHECK(watch.use_count() == 1);
}

TEST_CASE("a stream that is waited for may be closed meanwhile", "[callback]") {
  Pipe pipe;
  std::optional<Guest> guest;
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe.ends[0]};
  config.trace.sink = [&](std::string_view line) {
    if (!line.ends_with("<unfinished ...>")) return;
    CHECK(guest->call("fd_close", {0}) == Errno::success);
    REQUIRE(::write(pipe.ends[1], "late", 4) == 4);
  };
  guest.emplace(std::move(config));
  REQUIRE(guest->store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  CHECK(guest->read_text(0) == "late");
  CHECK(guest->read_text(0) == "EBADF");
}

TEST_CASE("a guest that comes back to the stream whose function called it is refused", "[callback]") {
  std::optional<Guest> guest;
  std::vector<std::string> told;
  int calls = 0;
  Config config = with_output([&](std::span<const std::uint8_t>) -> Transferred {
    ++calls;
    told.emplace_back(name_of(guest->write_text(1, "a")));
    // Its other streams are free, and lead back here, too.
    told.push_back(guest->read_text(0));
    return 1;
  });
  config.in = {.kind = Stdio::Kind::file, .file = make_input([&](std::span<std::uint8_t> room) -> Transferred {
                                            told.push_back(guest->read_text(0));
                                            told.emplace_back(name_of(guest->write_text(1, "a")));
                                            room[0] = 'x';
                                            return 1;
                                          })};
  guest.emplace(std::move(config));
  CHECK(guest->write_text(1, "!") == Errno::success);
  CHECK(calls == 1);
  CHECK(told == std::vector<std::string>{"EDEADLK", "EDEADLK", "EDEADLK", "x"});
  // And not for good.
  told.clear();
  CHECK(guest->read_text(0) == "x");
  CHECK(told == std::vector<std::string>{"EDEADLK", "EDEADLK", "EDEADLK", "ESUCCESS"});
}

TEST_CASE("a thread that has to leave a stream to another can be stopped", "[callback]") {
  std::atomic<bool> is_in = false;
  std::atomic<bool> may_leave = false;
  const auto output = make_output([&](std::span<const std::uint8_t> bytes) -> Transferred {
    is_in = true;
    while (!may_leave) std::this_thread::yield();
    return bytes.size();
  });
  Config config;
  config.out = {.kind = Stdio::Kind::file, .file = output};
  Guest first(config);
  Guest second(config);
  std::thread other([&] { CHECK(first.write_text(1, "x") == Errno::success); });
  while (!is_in) std::this_thread::yield();
  second.store().interrupt();
  second.write_text(1, "y");
  CHECK(second.trap());
  may_leave = true;
  other.join();
  CHECK(second.write_text(1, "y") == Errno::success);
}

TEST_CASE("what the trace's sink makes the guest do is not traced", "[callback]") {
  std::optional<Guest> guest;
  std::vector<std::string> lines;
  Config config;
  config.trace.sink = [&](std::string_view line) {
    lines.emplace_back(line);
    CHECK(guest->call("sched_yield", {}) == Errno::success);
  };
  guest.emplace(std::move(config));
  CHECK(guest->call("fd_close", {2}) == Errno::success);
  CHECK(guest->call("fd_close", {2}) == Errno::badf);
  CHECK(lines ==
        std::vector<std::string>{"fd_close(fd=2<stderr>) = 0", "fd_close(fd=2) = EBADF (Bad file descriptor)"});
}

TEST_CASE("the trace's sink may wait itself", "[callback]") {
  Pipe pipe;
  std::optional<Guest> guest;
  std::optional<std::thread> writer;
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe.ends[0]};
  config.trace.sink = [&](std::string_view line) {
    if (!line.ends_with("<unfinished ...>")) return;
    // For the same descriptor, and no longer than a moment.
    const std::uint32_t subscriptions = guest->allocate(2 * sizeof(Subscription));
    Subscription subscription{};
    subscription.type = EventType::fd_read;
    guest->write(subscriptions, subscription);
    subscription = {};
    subscription.clock_or_fd = static_cast<std::uint32_t>(ClockId::monotonic);
    subscription.timeout = 1'000'000;
    guest->write(subscriptions + static_cast<std::uint32_t>(sizeof(Subscription)), subscription);
    const std::uint32_t events = guest->allocate(2 * sizeof(Event));
    CHECK(guest->call("poll_oneoff", {subscriptions, events, 2, guest->allocate(4)}) == Errno::success);
    CHECK(guest->read<Event>(events).type == EventType::clock);
    writer.emplace([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      (void)!::write(pipe.ends[1], "late", 4);
    });
  };
  guest.emplace(std::move(config));
  // Should nothing wake it.
  REQUIRE(guest->store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
  CHECK(guest->read_text(0) == "late");
  writer->join();
}

}  // namespace
}  // namespace wasi::preview1
