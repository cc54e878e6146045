// Arguments, environment, clocks, randomness, the end of the program.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "guest.h"
#include "runtime/store.h"

namespace wasi::preview1 {
namespace {

using test::Guest;

TEST_CASE("arguments and environment arrive as terminated strings", "[process]") {
  Config config;
  config.args = {"program", "", "with space"};
  config.env = {"A=1", "EMPTY="};
  Guest guest(config);
  const std::uint32_t count = guest.allocate(4);
  const std::uint32_t size = guest.allocate(4);
  REQUIRE(guest.call("args_sizes_get", {count, size}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(count) == 3);
  CHECK(guest.read<std::uint32_t>(size) == 20);
  const std::uint32_t pointers = guest.allocate(64);
  const std::uint32_t bytes = guest.allocate(64);
  REQUIRE(guest.call("args_get", {pointers, bytes}) == Errno::success);
  CHECK(guest.text(bytes, 20) == std::string("program\0\0with space\0", 20));
  CHECK(guest.read<std::uint32_t>(pointers) == bytes);
  CHECK(guest.read<std::uint32_t>(pointers + 4) == bytes + 8);
  CHECK(guest.read<std::uint32_t>(pointers + 8) == bytes + 9);
  CHECK(guest.read<std::uint32_t>(pointers + 12) == 0);
  REQUIRE(guest.call("environ_sizes_get", {count, size}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(count) == 2);
  REQUIRE(guest.call("environ_get", {pointers, bytes}) == Errno::success);
  CHECK(guest.text(bytes, guest.read<std::uint32_t>(size)) == std::string("A=1\0EMPTY=\0", 11));
}

TEST_CASE("with no strings at all, any pointers will do", "[process]") {
  // C libraries ask for the strings also where there are none, with pointers to what they have not allocated.
  for (const std::string_view module : {kModuleName, kOldModuleName}) {
    Guest guest{Config{}};
    guest.use_module(module);
    const std::vector<std::uint8_t> before(guest.memory().begin(), guest.memory().end());
    for (const std::string name : {"args", "environ"}) {
      INFO(name);
      REQUIRE(guest.call(name + "_sizes_get", {16, 20}) == Errno::success);
      CHECK(guest.read<std::uint32_t>(16) == 0);
      CHECK(guest.read<std::uint32_t>(20) == 0);
      for (const std::uint64_t pointer :
           {std::uint64_t{0}, std::uint64_t{guest.memory().size()}, std::uint64_t{0xFFFF'FFFF}}) {
        CHECK(guest.call(name + "_get", {pointer, pointer}) == Errno::success);
      }
    }
    CHECK(std::ranges::equal(before, guest.memory()));
  }
}

TEST_CASE("clocks run", "[process]") {
  Guest guest({});
  const std::uint32_t out = guest.allocate(8);
  const auto time = [&](std::uint64_t clock) {
    REQUIRE(guest.call("clock_time_get", {clock, 0, out}) == Errno::success);
    return guest.read<std::uint64_t>(out);
  };
  CHECK(time(0) > 1'600'000'000'000'000'000);
  const std::uint64_t before = time(1);
  CHECK(time(1) >= before);
  CHECK(time(2) > 0);
  CHECK(time(3) > 0);
  for (std::uint64_t clock = 0; clock < 4; ++clock) {
    REQUIRE(guest.call("clock_res_get", {clock, out}) == Errno::success);
    CHECK(guest.read<std::uint64_t>(out) > 0);
  }
  CHECK(guest.call("clock_time_get", {4, 0, out}) == Errno::inval);
  CHECK(guest.call("clock_res_get", {4, out}) == Errno::inval);
}

TEST_CASE("random bytes fill the buffer and nothing else", "[process]") {
  Guest guest({});
  const std::uint32_t out = guest.allocate(256);
  REQUIRE(guest.call("random_get", {out, 200}) == Errno::success);
  const auto bytes = guest.memory().subspan(out, 256);
  CHECK(std::ranges::any_of(bytes.first(200), [](std::uint8_t byte) { return byte != 0; }));
  CHECK(std::ranges::all_of(bytes.subspan(200), [](std::uint8_t byte) { return byte == 0; }));
  CHECK(guest.call("random_get", {out, 0}) == Errno::success);
}

TEST_CASE("proc_exit is a trap that carries the status", "[process]") {
  Guest guest({});
  guest.call("proc_exit", {33});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->is_exit());
  CHECK(guest.trap()->exit_status == 33);
  guest.call("proc_exit", {0});
  REQUIRE(guest.trap());
  CHECK(guest.trap()->exit_status == 0);
}

TEST_CASE("signals are ENOSYS", "[process]") {
  Guest guest({});
  CHECK(guest.call("proc_raise", {6}) == Errno::nosys);
}

}  // namespace
}  // namespace wasi::preview1
