// Waiting where the host has no descriptors left, or only a few: it works, whatever it then rests on.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "guest.h"
#include "runtime/store.h"
#include "wasi/embedder_stream.h"

namespace wasi::preview1 {
namespace {

using test::Guest;

constexpr int kMostFree = 10;
constexpr int kLimit = 100;
constexpr std::uint64_t kHour = 3'600'000'000'000;

// What is checked in a child process, which tells the number of what was wrong: 0 for nothing.
int in_child(const std::function<int()>& check) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(check());
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

// Leaves this many descriptors to the process.
void use_up(int free) {
  const rlimit limit{.rlim_cur = kLimit, .rlim_max = kLimit};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(100);
  int last = -1;
  for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) last = fd;
  for (; free > 0; --free) ::close(last--);
}

// What is wrong with this many descriptors. Before that it is tried with all of them, on a thread with a loop of its
// own: the sanitizer of undefined behaviour wants some when it first meets a class.
int with_descriptors(int free, const std::function<int()>& check) {
  int wrong = 0;
  std::thread([&] { wrong = check(); }).join();
  if (wrong != 0) return 50 + wrong;
  use_up(free);
  return check();
}

std::thread after_a_while(std::function<void()> action) {
  return std::thread([action = std::move(action)] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    action();
  });
}

Subscription clock_after(std::uint64_t nanoseconds, ClockId clock = ClockId::monotonic, std::uint16_t flags = 0) {
  Subscription subscription{};
  subscription.clock_or_fd = static_cast<std::uint32_t>(clock);
  subscription.timeout = nanoseconds;
  subscription.clock_flags = flags;
  return subscription;
}
Subscription input() {
  Subscription subscription{};
  subscription.type = EventType::fd_read;
  return subscription;
}

// The type of the one event that there is.
bool tells(Guest& guest, const std::vector<Subscription>& subscriptions, EventType type) {
  const std::uint32_t in = guest.allocate(subscriptions.size() * sizeof(Subscription));
  for (std::size_t i = 0; i < subscriptions.size(); ++i) {
    guest.write(in + static_cast<std::uint32_t>(i * sizeof(Subscription)), subscriptions[i]);
  }
  const std::uint32_t out = guest.allocate(subscriptions.size() * sizeof(Event));
  const std::uint32_t count = guest.allocate(4);
  return guest.call("poll_oneoff", {in, out, subscriptions.size(), count}) == Errno::success &&
         guest.read<std::uint32_t>(count) == 1 && guest.read<Event>(out).type == type &&
         guest.read<Event>(out).error == Errno::success;
}

TEST_CASE("a guest waits with however few descriptors", "[exhausted]") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe[0]};
  for (int free = 0; free <= kMostFree; ++free) {
    Guest guest(config);
    const auto check = [&] {
      // Should nothing wake it.
      if (!guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::seconds(60))) return 7;
      const std::uint32_t now = guest.allocate(8);
      guest.call("clock_time_get", {static_cast<std::uint64_t>(ClockId::realtime), 0, now});
      const auto soon = guest.read<std::uint64_t>(now) + 2'000'000;
      const Subscription realtime = clock_after(soon, ClockId::realtime, subclockflag::abstime);
      if (!tells(guest, {clock_after(2'000'000)}, EventType::clock)) return 1;
      if (!tells(guest, {realtime}, EventType::clock)) return 2;
      if (!tells(guest, {realtime, clock_after(kHour)}, EventType::clock)) return 3;
      // Twice: what one wait has left behind is not in the way of the next.
      for (int i = 0; i < 2; ++i) {
        if (!tells(guest, {input(), clock_after(2'000'000)}, EventType::clock)) return 4;
        std::thread writer = after_a_while([&] { (void)!::write(pipe[1], "x", 1); });
        const bool is_told = tells(guest, {input(), clock_after(kHour)}, EventType::fd_read);
        writer.join();
        if (!is_told || guest.read_text(0) != "x") return 5;
        writer = after_a_while([&] { (void)!::write(pipe[1], "y", 1); });
        const bool is_read = guest.read_text(0) == "y";
        writer.join();
        if (!is_read) return 6;
      }
      return 0;
    };
    INFO(free);
    CHECK(in_child([&] { return with_descriptors(free, check); }) == 0);
  }
  for (const int end : pipe) ::close(end);
}

TEST_CASE("a guest that waits with few descriptors is stopped", "[exhausted]") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe[0]};
  const bool reads = GENERATE(false, true);
  for (const int free : {0, 3, kMostFree}) {
    Guest guest(config);
    const auto wait = [&] { reads ? guest.read_text(0) == "" : tells(guest, {clock_after(kHour)}, EventType::clock); };
    const auto check = [&] {
      if (!guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5))) return 1;
      wait();
      if (!guest.trap() || guest.trap()->code != TrapCode::deadline_exceeded) return 2;
      if (!guest.store().set_deadline(std::nullopt)) return 3;
      std::thread other = after_a_while([&] { guest.store().interrupt(); });
      wait();
      other.join();
      return guest.trap() && guest.trap()->code == TrapCode::interrupted ? 0 : 4;
    };
    INFO(free);
    CHECK(in_child([&] { return with_descriptors(free, check); }) == 0);
  }
  for (const int end : pipe) ::close(end);
}

TEST_CASE("a function that has nothing yet is asked again without descriptors", "[exhausted]") {
  int calls = 0;
  Config config;
  config.in = {.kind = Stdio::Kind::file,
               .file = make_input([&](std::span<std::uint8_t> room) -> std::expected<std::size_t, std::errc> {
                 if (++calls < 3) return std::unexpected(std::errc::resource_unavailable_try_again);
                 room[0] = 'x';
                 return 1;
               })};
  Guest guest(config);
  const auto check = [&] {
    calls = 0;
    return guest.read_text(0) == "x" ? 0 : 1;
  };
  CHECK(in_child([&] { return with_descriptors(0, check); }) == 0);
}

TEST_CASE("a guest that waits takes no descriptors for good where there are few", "[exhausted]") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  Config config;
  config.in = {.kind = Stdio::Kind::fd, .fd = pipe[0]};
  Guest guest(config);
  const auto check = [&] {
    for (int i = 0; i < 20; ++i) {
      if (!tells(guest, {input(), clock_after(1'000'000)}, EventType::clock)) return 1;
    }
    return 0;
  };
  constexpr int kFree = 5;
  CHECK(in_child([&] {
          if (const int wrong = with_descriptors(kFree, check); wrong != 0) return wrong;
          int free = 0;
          while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) ++free;
          return free == kFree ? 0 : 2;
        }) == 0);
  for (const int end : pipe) ::close(end);
}

}  // namespace
}  // namespace wasi::preview1
