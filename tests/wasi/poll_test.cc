// poll_oneoff and other waits: clocks, descriptors, and that a guest that waits can be stopped.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
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
  guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  poll(guest, {clock_after(3'600'000'000'000, 1)});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::deadline_exceeded);
  guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
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
  config.trace.sink = [&](std::string_view text) { line += text; };
  Guest guest(config);
  constexpr std::uint32_t kSize = 100'000;
  const std::uint32_t text = guest.allocate(kSize);
  for (std::uint32_t i = 0; i < kSize; ++i) guest.write(text + i, static_cast<std::uint8_t>('a' + i % 23));
  std::string received;
  std::thread reader([&] {
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
  guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  guest.call("fd_write", {1, buffers, 1, out});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->code == TrapCode::deadline_exceeded);
}

}  // namespace
}  // namespace wasi::preview1
