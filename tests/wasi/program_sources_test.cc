// Time and randomness of the embedder's.
#include "wasi/program_sources.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>

#include "guest.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;

std::uint64_t time_of(Guest& guest, ClockId clock, std::string_view function = "clock_time_get") {
  const std::uint32_t place = guest.allocate(8);
  const auto id = static_cast<std::uint32_t>(clock);
  const Errno error =
      function == "clock_res_get" ? guest.call(function, {id, place}) : guest.call(function, {id, 0, place});
  REQUIRE(error == Errno::success);
  return guest.read<std::uint64_t>(place);
}

// poll_oneoff of timeouts: (clock, nanoseconds, absolute); the userdata of those that have come.
struct Timeout {
  ClockId clock;
  std::uint64_t time;
  bool is_absolute = false;
};
std::vector<std::uint64_t> poll(Guest& guest, const std::vector<Timeout>& timeouts,
                                std::optional<std::uint32_t> reads = {}) {
  const auto count = static_cast<std::uint32_t>(timeouts.size() + (reads ? 1 : 0));
  const std::uint32_t in = guest.allocate(count * sizeof(Subscription));
  const std::uint32_t out = guest.allocate(count * sizeof(Event));
  const std::uint32_t number = guest.allocate(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    Subscription subscription{};
    subscription.userdata = i;
    if (i < timeouts.size()) {
      subscription.type = EventType::clock;
      subscription.clock_or_fd = static_cast<std::uint32_t>(timeouts[i].clock);
      subscription.timeout = timeouts[i].time;
      subscription.clock_flags = timeouts[i].is_absolute ? subclockflag::abstime : 0;
    } else {
      subscription.type = EventType::fd_read;
      subscription.clock_or_fd = *reads;
    }
    guest.write(in + i * sizeof(subscription), subscription);
  }
  REQUIRE(guest.call("poll_oneoff", {in, out, count, number}) == Errno::success);
  std::vector<std::uint64_t> told;
  for (std::uint32_t i = 0; i < guest.read<std::uint32_t>(number); ++i) {
    const auto event = guest.read<Event>(out + i * sizeof(Event));
    CHECK(event.error == Errno::success);
    told.push_back(event.userdata);
  }
  return told;
}

std::vector<std::uint8_t> random_bytes(Guest& guest, std::uint32_t size) {
  const std::uint32_t place = guest.allocate(size);
  REQUIRE(guest.call("random_get", {place, size}) == Errno::success);
  const auto memory = guest.memory().subspan(place, size);
  return {memory.begin(), memory.end()};
}

TEST_CASE("clocks are what the embedder says", "[sources]") {
  std::uint64_t now = 1'000;
  Config config;
  config.time = {.realtime = [] { return std::uint64_t{42}; },
                 .monotonic = [&] { return now += 5; },
                 .resolution = 5,
                 .sleep = {}};
  Guest guest(std::move(config));
  CHECK(time_of(guest, ClockId::realtime) == 42);
  CHECK(time_of(guest, ClockId::monotonic) == 1'005);
  CHECK(time_of(guest, ClockId::monotonic) == 1'010);
  // The processor's time would tell what the clock hides.
  CHECK(time_of(guest, ClockId::process_cputime) == 1'015);
  CHECK(time_of(guest, ClockId::realtime, "clock_res_get") == 5);
}

TEST_CASE("a clock that throws is EIO", "[sources]") {
  Config config;
  config.time.realtime = []() -> std::uint64_t { throw std::runtime_error("no"); };
  Guest guest(std::move(config));
  CHECK(guest.call("clock_time_get", {0, 0, guest.allocate(8)}) == Errno::io);
  CHECK(time_of(guest, ClockId::monotonic) != 0);
}

TEST_CASE("timeouts are slept by the embedder, which takes no time of the host's", "[sources]") {
  std::uint64_t now = 500;
  std::vector<std::uint64_t> slept;
  Config config;
  config.time = {.realtime = [&] { return now + 1'000'000; },
                 .monotonic = [&] { return now; },
                 .resolution = 1,
                 .sleep =
                     [&](std::uint64_t nanoseconds) {
                       slept.push_back(nanoseconds);
                       now += nanoseconds;
                     }};
  Guest guest(std::move(config));
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  const auto start = std::chrono::steady_clock::now();
  CHECK(poll(guest, {{ClockId::monotonic, 2 * kHour}, {ClockId::monotonic, kHour}}) == std::vector<std::uint64_t>{1});
  CHECK(slept == std::vector<std::uint64_t>{kHour});
  CHECK(now == 500 + kHour);
  CHECK(poll(guest, {{ClockId::realtime, now + 1'000'000 + 77, true}, {ClockId::monotonic, now + 77, true}}) ==
        std::vector<std::uint64_t>{0, 1});
  CHECK(slept.back() == 77);
  // What has come already is not slept for.
  CHECK(poll(guest, {{ClockId::monotonic, 3, true}}) == std::vector<std::uint64_t>{0});
  CHECK(slept.size() == 2);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::minutes(10));
}

TEST_CASE("a clock that stands still does not keep a program waiting for ever", "[sources]") {
  Config config;
  config.time.monotonic = [] { return std::uint64_t{7}; };
  Guest guest(std::move(config));
  CHECK(poll(guest, {{ClockId::monotonic, 1'000'000}}) == std::vector<std::uint64_t>{0});
  CHECK(poll(guest, {{ClockId::monotonic, 1'000'007, true}}) == std::vector<std::uint64_t>{0});
  CHECK(poll(guest, {{ClockId::monotonic, 7, true}}) == std::vector<std::uint64_t>{0});
}

TEST_CASE("the embedder is not asked to sleep while a descriptor is ready", "[sources]") {
  int slept = 0;
  Config config;
  config.time.sleep = [&](std::uint64_t) { ++slept; };
  Guest guest(std::move(config));
  // Of a stream that never keeps anybody waiting, with a timeout beside it.
  CHECK(poll(guest, {{ClockId::monotonic, 1'000'000'000'000}}, 0) == std::vector<std::uint64_t>{1});
  CHECK(slept == 0);
}

TEST_CASE("randomness by a seed is the same for each program, and always was", "[sources]") {
  const auto make = [](std::uint64_t seed) {
    Config config;
    config.random = {.fill = {}, .seed = seed};
    return config;
  };
  Guest one(make(5489));
  Guest two(make(5489));
  Guest other(make(1));
  const auto first = random_bytes(one, 100);
  CHECK(first == random_bytes(two, 100));
  CHECK(first != random_bytes(other, 100));
  CHECK(random_bytes(one, 100) != first);
  // The standard's own generator: its first number for this seed, which is the default one, is 14514284786278117030.
  std::uint64_t number = 0;
  std::memcpy(&number, first.data(), sizeof(number));
  CHECK(number == 14514284786278117030U);
}

TEST_CASE("randomness by a function", "[sources]") {
  std::uint8_t next = 0;
  Config config;
  config.random = {.fill =
                       [&](std::span<std::uint8_t> bytes) {
                         if (next > 250) throw std::runtime_error("no more");
                         for (std::uint8_t& byte : bytes) byte = next;
                         ++next;
                       },
                   .seed = {}};
  Guest guest(std::move(config));
  CHECK(random_bytes(guest, 3) == std::vector<std::uint8_t>{0, 0, 0});
  CHECK(random_bytes(guest, 2) == std::vector<std::uint8_t>{1, 1});
  // By pieces, wherever the memory is by then.
  const auto large = random_bytes(guest, 10'000);
  CHECK(large.front() == 2);
  CHECK(large.back() == 4);
  next = 255;
  CHECK(guest.call("random_get", {guest.allocate(8), 8}) == Errno::io);
  CHECK(guest.call("random_get", {guest.allocate(8), 0}) == Errno::success);
}

}  // namespace
}  // namespace wasi::preview1
