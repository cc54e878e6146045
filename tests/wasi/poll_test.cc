// poll_oneoff and other waits: clocks, descriptors, and that a guest that waits can be stopped.
#include <fcntl.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "guest.h"
#include "runtime/store.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

Subscription clock_after(std::uint64_t nanoseconds, std::uint64_t userdata, ClockId clock = ClockId::monotonic,
                         std::uint16_t flags = 0) {
  Subscription subscription{};
  subscription.userdata = userdata;
  subscription.type = EventType::clock;
  subscription.clock_or_fd = static_cast<std::uint32_t>(clock);
  subscription.timeout = nanoseconds;
  subscription.clock_flags = flags;
  return subscription;
}

Subscription on(std::uint32_t fd, EventType type, std::uint64_t userdata) {
  Subscription subscription{};
  subscription.userdata = userdata;
  subscription.type = type;
  subscription.clock_or_fd = fd;
  return subscription;
}

struct Polled {
  Errno error;
  std::vector<Event> events;
};

Polled poll(Guest& guest, const std::vector<Subscription>& subscriptions) {
  const std::uint32_t in = guest.allocate(subscriptions.size() * sizeof(Subscription));
  for (std::size_t i = 0; i < subscriptions.size(); ++i) {
    guest.write(in + static_cast<std::uint32_t>(i * sizeof(Subscription)), subscriptions[i]);
  }
  const std::uint32_t out = guest.allocate(subscriptions.size() * sizeof(Event));
  const std::uint32_t count = guest.allocate(4);
  Polled polled{guest.call("poll_oneoff", {in, out, subscriptions.size(), count}), {}};
  for (std::uint32_t i = 0; polled.error == Errno::success && i < guest.read<std::uint32_t>(count); ++i) {
    polled.events.push_back(guest.read<Event>(out + i * static_cast<std::uint32_t>(sizeof(Event))));
  }
  return polled;
}

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  Config as_stdin() const {
    Config config;
    config.in = {.kind = Stdio::Kind::fd, .fd = ends[0]};
    return config;
  }
};

TEST_CASE("the first clock that comes due is told, not before its time", "[poll]") {
  Guest guest({});
  const auto before = std::chrono::steady_clock::now();
  const Polled polled = poll(guest, {clock_after(3'600'000'000'000, 1), clock_after(2'000'000, 2)});
  REQUIRE(polled.error == Errno::success);
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(2));
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].userdata == 2);
  CHECK(polled.events[0].type == EventType::clock);
  CHECK(polled.events[0].error == Errno::success);
}

TEST_CASE("absolute times count on their own clock", "[poll]") {
  Guest guest({});
  const std::uint32_t out = guest.allocate(8);
  for (const ClockId clock : {ClockId::realtime, ClockId::monotonic}) {
    REQUIRE(guest.call("clock_time_get", {static_cast<std::uint64_t>(clock), 0, out}) == Errno::success);
    const auto due = guest.read<std::uint64_t>(out) + 2'000'000;
    const Polled polled = poll(guest, {clock_after(due, 7, clock, subclockflag::abstime)});
    REQUIRE(polled.events.size() == 1);
    REQUIRE(guest.call("clock_time_get", {static_cast<std::uint64_t>(clock), 0, out}) == Errno::success);
    CHECK(guest.read<std::uint64_t>(out) >= due);
    // A time that has passed does not wait.
    CHECK(poll(guest, {clock_after(1, 7, clock, subclockflag::abstime)}).events.size() == 1);
  }
}

TEST_CASE("clocks that cannot be waited for are told as events", "[poll]") {
  Guest guest({});
  const Polled polled = poll(
      guest, {clock_after(0, 1, static_cast<ClockId>(9)), clock_after(0, 2, ClockId::process_cputime),
              on(77, EventType::fd_read, 3), on(0, static_cast<EventType>(9), 4), clock_after(3'600'000'000'000, 5)});
  REQUIRE(polled.events.size() == 4);
  CHECK(polled.events[0].error == Errno::inval);
  CHECK(polled.events[1].error == Errno::notsup);
  CHECK(polled.events[2].error == Errno::badf);
  CHECK(polled.events[3].error == Errno::inval);
  CHECK(polled.events[3].userdata == 4);
}

TEST_CASE("a pipe is told when there is something to read, with how much, and when its writer has gone", "[poll]") {
  Pipe pipe;
  Guest guest(pipe.as_stdin());
  CHECK(poll(guest, {on(0, EventType::fd_read, 1), clock_after(1'000'000, 2)}).events.at(0).userdata == 2);
  REQUIRE(::write(pipe.ends[1], "hello", 5) == 5);
  Polled polled = poll(guest, {on(0, EventType::fd_read, 1), clock_after(3'600'000'000'000, 2)});
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].userdata == 1);
  CHECK(polled.events[0].type == EventType::fd_read);
  CHECK(polled.events[0].nbytes == 5);
  CHECK(polled.events[0].flags == 0);
  CHECK(guest.read_text(0) == "hello");
  ::close(pipe.ends[1]);
  pipe.ends[1] = -1;
  polled = poll(guest, {on(0, EventType::fd_read, 1)});
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].flags == eventrwflag::hangup);
  CHECK(guest.read_text(0).empty());
}

TEST_CASE("files and null stdio are always ready", "[poll]") {
  const wasi::test::TempDir dir;
  dir.write("file", "0123456789");
  Guest guest(test::with_directory(dir.path()));
  const auto file = guest.open("file", 0, right::kAll);
  guest.read_text(file.fd, 4);
  const Polled polled = poll(guest, {on(file.fd, EventType::fd_read, 1), on(file.fd, EventType::fd_write, 2),
                                     on(1, EventType::fd_write, 3), on(0, EventType::fd_read, 4)});
  REQUIRE(polled.events.size() == 4);
  CHECK(polled.events[0].nbytes == 6);
  CHECK(std::ranges::all_of(polled.events, [](const Event& event) { return event.error == Errno::success; }));
}

TEST_CASE("as many subscriptions as there may be, and not one more", "[poll]") {
  Guest guest({});
  const std::uint32_t out = guest.allocate(4);
  CHECK(guest.call("poll_oneoff", {0, 0, 0, out}) == Errno::inval);
  CHECK(poll(guest, std::vector<Subscription>(500, clock_after(0, 1))).events.size() == 500);
}

TEST_CASE("flags of a clock that mean nothing are an invalid argument", "[poll]") {
  Guest guest({});
  for (const std::uint16_t flags : {2, 3, 0x8000}) {
    INFO(flags);
    CHECK(poll(guest, {clock_after(0, 1, ClockId::monotonic, flags)}).error == Errno::inval);
    // Wherever it stands among others, and these are not answered.
    CHECK(poll(guest, {clock_after(0, 1), clock_after(0, 2, ClockId::realtime, flags)}).error == Errno::inval);
  }
  // A descriptor's subscription has no flags: what lies there is not looked at.
  Subscription output = on(1, EventType::fd_write, 3);
  output.clock_flags = 0xFFFF;
  CHECK(poll(guest, {output}).events.size() == 1);
}

TEST_CASE("events may overwrite the subscriptions that they answer", "[poll]") {
  Guest guest({});
  const std::uint32_t memory = guest.allocate(4 * sizeof(Subscription));
  for (std::uint32_t i = 0; i < 4; ++i) {
    guest.write(memory + i * static_cast<std::uint32_t>(sizeof(Subscription)), on(1, EventType::fd_write, 100 + i));
  }
  const std::uint32_t count = guest.allocate(4);
  REQUIRE(guest.call("poll_oneoff", {memory, memory, 4, count}) == Errno::success);
  REQUIRE(guest.read<std::uint32_t>(count) == 4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK(guest.read<Event>(memory + i * static_cast<std::uint32_t>(sizeof(Event))).userdata == 100 + i);
  }
}

TEST_CASE("a guest that waits is stopped by its deadline", "[poll]") {
  Pipe pipe;
  Guest guest(pipe.as_stdin());
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  poll(guest, {clock_after(3'600'000'000'000, 1)});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::deadline_exceeded);
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  guest.read_text(0);
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::deadline_exceeded);
}

TEST_CASE("a guest that waits is stopped by an interruption", "[poll]") {
  Pipe pipe;
  Guest guest(pipe.as_stdin());
  const bool reads = GENERATE(false, true);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    guest.store().interrupt();
  });
  if (reads) {
    guest.read_text(0);
  } else {
    poll(guest, {clock_after(3'600'000'000'000, 1)});
  }
  other.join();
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::interrupted);
}

TEST_CASE("a write that may wait writes everything, however small the pipe", "[poll]") {
  Pipe pipe;
  std::string line;
  Config config;
  config.out = {.kind = Stdio::Kind::fd, .fd = pipe.ends[1]};
  std::promise<void> is_waiting;
  config.trace.sink = [&](std::string_view text) {
    if (text.contains("<unfinished ...>")) is_waiting.set_value();
    line += text;
  };
  Guest guest(config);
  constexpr std::uint32_t kSize = 100'000;
  const std::uint32_t text = guest.allocate(kSize);
  for (std::uint32_t i = 0; i < kSize; ++i) guest.write(text + i, static_cast<std::uint8_t>('a' + i % 23));
  std::string received;
  std::thread reader([&] {
    // A reader that is quick enough would spare the writer the wait.
    is_waiting.get_future().wait_for(std::chrono::seconds(20));
    char buffer[3000];
    while (received.size() < 2 * kSize) {
      const ssize_t size = ::read(pipe.ends[0], buffer, sizeof(buffer));
      if (size <= 0) break;
      received.append(buffer, static_cast<std::size_t>(size));
    }
  });
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(guest.call("fd_write", {1, guest.iovs({{text, 7}, {text + 7, 0}, {text + 7, kSize - 7}, {text, kSize}}), 4,
                                  out}) == Errno::success);
  reader.join();
  CHECK(guest.read<std::uint32_t>(out) == 2 * kSize);
  CHECK((received == guest.text(text, kSize) + guest.text(text, kSize)));
  // The trace shows the buffers as the guest gave them.
  CHECK_THAT(line, Catch::StartsWith(R"(fd_write(fd=1<stdout>, iovs=[{"abcdefg", 7}, {"", 0}, {"hijkl)") &&
                       Catch::Contains(", 99993}, {\"abcdef") && Catch::Contains(", 100000}] <unfinished ...>") &&
                       Catch::EndsWith(", nwritten=[200000]) = 0"));
}

TEST_CASE("a full pipe holds up its writer only if that is willing to wait", "[poll]") {
  Pipe pipe;
  Config config;
  config.out = {.kind = Stdio::Kind::fd, .fd = pipe.ends[1]};
  Guest guest(config);
  REQUIRE(guest.call("fd_fdstat_set_flags", {1, fdflag::nonblock}) == Errno::success);
  const std::uint32_t text = guest.allocate(16384);
  const std::uint32_t buffers = guest.iovs({{text, 16384}});
  const std::uint32_t out = guest.allocate(4);
  Errno error = Errno::success;
  int writes = 0;
  while (error == Errno::success && writes < 1000) {
    error = guest.call("fd_write", {1, buffers, 1, out});
    ++writes;
  }
  CHECK(error == Errno::again);
  REQUIRE(guest.call("fd_fdstat_set_flags", {1, 0}) == Errno::success);
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  guest.call("fd_write", {1, buffers, 1, out});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::deadline_exceeded);
}

// A terminal: the program's end, and that of who sits before it.
struct Terminal {
  int user = -1;
  int program = -1;
  Terminal() { REQUIRE(::openpty(&user, &program, nullptr, nullptr, nullptr) == 0); }
  ~Terminal() {
    if (user >= 0) ::close(user);
    ::close(program);
  }
  void type(std::string_view keys) const {
    REQUIRE(::write(user, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  void make_raw() const {
    termios modes{};
    REQUIRE(::tcgetattr(program, &modes) == 0);
    ::cfmakeraw(&modes);
    REQUIRE(::tcsetattr(program, TCSANOW, &modes) == 0);
  }
  [[nodiscard]] Config as_stdio() const {
    Config config;
    config.in = {.kind = Stdio::Kind::fd, .fd = program};
    config.out = {.kind = Stdio::Kind::fd, .fd = program};
    return config;
  }
};

TEST_CASE("a terminal gives lines, and its end at a line's beginning", "[poll]") {
  const Terminal terminal;
  Guest guest(terminal.as_stdio());
  // What isatty() of C libraries looks at.
  CHECK(guest.fdstat(0).type == FileType::character_device);
  CHECK((guest.fdstat(0).rights_base & (right::fd_seek | right::fd_tell)) == 0);
  terminal.type("begun");
  CHECK(poll(guest, {on(0, EventType::fd_read, 1), clock_after(1'000'000, 2)}).events.at(0).userdata == 2);
  terminal.type(" and ended\nnext\n");
  const Polled polled = poll(guest, {on(0, EventType::fd_read, 1), on(1, EventType::fd_write, 2)});
  REQUIRE(polled.events.size() == 2);
  CHECK(polled.events[0].nbytes > 0);
  CHECK(guest.read_text(0) == "begun and ended\n");
  CHECK(guest.read_text(0, 3) == "nex");
  CHECK(guest.read_text(0) == "t\n");
  terminal.type("\x04");
  CHECK(poll(guest, {on(0, EventType::fd_read, 1)}).events.size() == 1);
  CHECK(guest.read_text(0).empty());
  // That was no end for ever.
  terminal.type("again\n");
  CHECK(guest.read_text(0) == "again\n");
  CHECK((::fcntl(terminal.program, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a raw terminal gives every byte as it is typed", "[poll]") {
  Terminal terminal;
  terminal.make_raw();
  Guest guest(terminal.as_stdio());
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    (void)!::write(terminal.user, "\x04", 1);
  });
  // Waits for it.
  CHECK(guest.read_text(0) == "\x04");
  user.join();
  terminal.type("\r\x03\xFF");
  CHECK(guest.read_text(0) == "\r\x03\xFF");
  REQUIRE(guest.write_text(1, "\x1B[2J\n") == Errno::success);
  char bytes[16];
  CHECK(::read(terminal.user, bytes, sizeof(bytes)) == 5);
  CHECK(std::string_view(bytes, 5) == "\x1B[2J\n");
  REQUIRE(guest.call("fd_fdstat_set_flags", {0, fdflag::nonblock}) == Errno::success);
  CHECK(guest.read_text(0) == "EAGAIN");
  // Hung up.
  ::close(terminal.user);
  terminal.user = -1;
  const Polled polled = poll(guest, {on(0, EventType::fd_read, 1)});
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].flags == eventrwflag::hangup);
}

TEST_CASE("anything may be waited for together with anything", "[poll]") {
  const wasi::test::TempDir dir;
  dir.write("file", "0123");
  const Terminal terminal;
  Pipe pipe;
  int connection[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0);
  Config config = test::with_directory(dir.path());
  config.in = {.kind = Stdio::Kind::fd, .fd = terminal.program};
  config.out = {.kind = Stdio::Kind::fd, .fd = connection[0]};
  config.err = {.kind = Stdio::Kind::fd, .fd = pipe.ends[1]};
  Guest guest(config);
  const std::uint32_t now = guest.allocate(8);
  REQUIRE(guest.call("clock_time_get", {static_cast<std::uint64_t>(ClockId::realtime), 0, now}) == Errno::success);
  const auto soon = guest.read<std::uint64_t>(now) + 3'000'000;
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  // Nothing of it is ready but the last clock, when it has come.
  const std::vector<Subscription> waits = {on(0, EventType::fd_read, 1), clock_after(kHour, 2),
                                           clock_after(kHour, 3, ClockId::realtime),
                                           clock_after(soon + kHour, 4, ClockId::realtime, subclockflag::abstime),
                                           clock_after(soon, 5, ClockId::realtime, subclockflag::abstime)};
  Polled polled = poll(guest, waits);
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].userdata == 5);
  REQUIRE(guest.call("clock_time_get", {static_cast<std::uint64_t>(ClockId::realtime), 0, now}) == Errno::success);
  CHECK(guest.read<std::uint64_t>(now) >= soon);
  // Then all but the far clocks.
  terminal.type("x\n");
  const auto file = guest.open("file", 0, right::kAll);
  std::vector<Subscription> all = waits;
  all.push_back(on(1, EventType::fd_write, 6));
  all.push_back(on(2, EventType::fd_write, 7));
  all.push_back(on(file.fd, EventType::fd_read, 8));
  polled = poll(guest, all);
  std::vector<std::uint64_t> told;
  for (const Event& event : polled.events) told.push_back(event.userdata);
  CHECK(told == std::vector<std::uint64_t>{1, 5, 6, 7, 8});
  for (const int end : connection) ::close(end);
}

TEST_CASE("a descriptor wakes who sleeps: bytes, room, a writer or a reader that goes", "[poll]") {
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  Pipe in;
  Pipe out;
  Config config = in.as_stdin();
  config.out = {.kind = Stdio::Kind::fd, .fd = out.ends[1]};
  Guest guest(config);
  // Should nothing wake it.
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60));
  const int what = GENERATE(0, 1, 2, 3);
  if (what == 1 || what == 3) {
    REQUIRE(::fcntl(out.ends[1], F_SETFL, O_NONBLOCK) == 0);
    char page[4096] = {};
    while (::write(out.ends[1], page, sizeof(page)) > 0) {
    }
    REQUIRE(::fcntl(out.ends[1], F_SETFL, 0) == 0);
  }
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    char page[4096];
    if (what == 0) (void)!::write(in.ends[1], "x", 1);
    if (what == 1) (void)!::read(out.ends[0], page, sizeof(page));
    if (what == 2) ::close(std::exchange(in.ends[1], -1));
    if (what == 3) ::close(out.ends[0]);
  });
  const bool reads = what == 0 || what == 2;
  const Polled polled =
      poll(guest, {reads ? on(0, EventType::fd_read, 1) : on(1, EventType::fd_write, 2), clock_after(kHour, 3)});
  other.join();
  if (what == 3) out.ends[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // for the destructor to close
  REQUIRE_FALSE(guest.trap());
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].userdata == (reads ? 1 : 2));
  CHECK(polled.events[0].error == Errno::success);
  // Nobody's open file was changed for that.
  for (const int end : {in.ends[0], out.ends[1]}) CHECK((::fcntl(end, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("many subscriptions of one descriptor are one, whatever the process may have open", "[poll]") {
  constexpr std::uint32_t kCount = 2500;
  Pipe pipe;
  Guest guest(pipe.as_stdin());
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60));
  const std::uint32_t memory = guest.allocate(kCount * sizeof(Subscription));
  const auto subscribe = [&] {
    for (std::uint32_t i = 0; i < kCount; ++i) {
      guest.write(memory + i * static_cast<std::uint32_t>(sizeof(Subscription)), on(0, EventType::fd_read, i));
    }
  };
  const std::uint32_t count = guest.allocate(4);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit low{.rlim_cur = 64, .rlim_max = limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  subscribe();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    (void)!::write(pipe.ends[1], "x", 1);
  });
  const Errno error = guest.call("poll_oneoff", {memory, memory, kCount, count});
  other.join();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(error == Errno::success);
  REQUIRE(guest.read<std::uint32_t>(count) == kCount);
  CHECK(guest.read<Event>(memory + (kCount - 1) * static_cast<std::uint32_t>(sizeof(Event))).userdata == kCount - 1);
}

TEST_CASE("both directions of one descriptor", "[poll]") {
  int connection[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, connection) == 0);
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = connection[0]};
  config.out = {.kind = Stdio::Kind::fd, .fd = connection[0]};
  Guest guest(config);
  const std::vector<Subscription> both = {on(0, EventType::fd_read, 1), on(1, EventType::fd_write, 2),
                                          on(0, EventType::fd_read, 3)};
  Polled polled = poll(guest, both);
  REQUIRE(polled.events.size() == 1);
  CHECK(polled.events[0].userdata == 2);
  REQUIRE(::write(connection[1], "hello", 5) == 5);
  polled = poll(guest, both);
  REQUIRE(polled.events.size() == 3);
  CHECK(polled.events[0].nbytes == 5);
  CHECK(polled.events[1].nbytes == 0);
  CHECK(polled.events[2].nbytes == 5);
  for (const int end : connection) ::close(end);
}

TEST_CASE("programs that wait on many threads do not hold up the one that releases them", "[poll]") {
  constexpr std::size_t kGuests = 16;
  std::vector<Pipe> pipes(kGuests + 1);
  std::vector<std::unique_ptr<Guest>> guests;
  // Each reads from the pipe before its own and then writes to its own: the last is released through all the others.
  for (std::size_t i = 0; i < kGuests; ++i) {
    Config config = pipes[i].as_stdin();
    config.out = {.kind = Stdio::Kind::fd, .fd = pipes[i + 1].ends[1]};
    guests.push_back(std::make_unique<Guest>(config));
    guests.back()->store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60));
  }
  std::vector<std::future<bool>> done;
  for (std::size_t i = 0; i < kGuests; ++i) {
    done.push_back(std::async(std::launch::async, [&guest = *guests[i]] {
      const std::uint32_t out = guest.allocate(4);
      const std::uint32_t buffer = guest.iovs({{guest.allocate(8), 8}});
      for (int round = 0; round < 100; ++round) {
        if (guest.call("fd_read", {0, buffer, 1, out}) != Errno::success) return false;
        if (guest.call("fd_write", {1, buffer, 1, out}) != Errno::success) return false;
      }
      return true;
    }));
  }
  bool all_came = true;
  for (int round = 0; round < 100; ++round) {
    char bytes[8];
    all_came &= ::write(pipes.front().ends[1], "12345678", 8) == 8;
    all_came &= ::read(pipes.back().ends[0], bytes, sizeof(bytes)) == 8;
  }
  CHECK(all_came);
  for (auto& one : done) CHECK(one.get());
}

TEST_CASE("a forked child waits by itself", "[poll]") {
  Pipe pipe;
  Guest guest(pipe.as_stdin());
  guest.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60));
  // Makes this thread's loop.
  REQUIRE(poll(guest, {on(0, EventType::fd_read, 1), clock_after(1'000'000, 2)}).events.at(0).userdata == 2);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto polled = poll(guest, {on(0, EventType::fd_read, 1), clock_after(1'000'000, 2)});
    ::_exit(polled.events.size() == 1 && polled.events[0].userdata == 2 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  // What the child has cleared away was its own.
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    (void)!::write(pipe.ends[1], "x", 1);
  });
  CHECK(poll(guest, {on(0, EventType::fd_read, 1)}).events.size() == 1);
  other.join();
  REQUIRE_FALSE(guest.trap());
}

}  // namespace
}  // namespace wasi::preview1
