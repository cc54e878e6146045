// wasi_unstable: what differs from preview1, and that nothing else does.
#include "wasi/snapshot0.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "guest.h"
#include "support/temp_dir.h"
#include "wasi/table.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

struct World {
  wasi::test::TempDir dir;
  Guest guest;

  explicit World(Config (*change)(Config) = [](Config config) { return config; })
      : guest(change(test::with_directory(dir.path()))) {
    guest.use_module(kOldModuleName);
  }
  std::uint32_t end() const { return static_cast<std::uint32_t>(guest.memory().size()); }
};

TEST_CASE("snapshot 0 has the functions of preview1 but sock_accept, with the same types", "[snapshot0]") {
  std::set<std::string_view> names;
  for (const Function& function : functions(kOldModuleName)) {
    names.insert(function.name);
    const Function* current = find_function(kModuleName, function.name);
    REQUIRE(current != nullptr);
    CHECK(function.type == current->type);
    // What does not differ is the same code.
    static const std::set<std::string_view> kDiffer = {"fd_seek", "fd_filestat_get", "path_filestat_get",
                                                       "poll_oneoff"};
    INFO(function.name);
    CHECK((function.body != current->body) == kDiffer.contains(function.name));
  }
  CHECK(names.size() == 45);
  CHECK(functions().size() == 46);
  CHECK_FALSE(names.contains("sock_accept"));
  CHECK(find_function(kOldModuleName, "sock_accept") == nullptr);
  CHECK(functions("wasi_snapshot_preview2").empty());
}

TEST_CASE("snapshot 0: whence is cur, end, set", "[snapshot0]") {
  World world;
  world.dir.write("file", "0123456789");
  Guest& guest = world.guest;
  const auto file = guest.open("file");
  REQUIRE(file.error == Errno::success);
  const std::uint32_t place = guest.allocate(8);
  const auto seek = [&](std::int64_t offset, std::uint32_t whence) {
    const Errno error = guest.call("fd_seek", {file.fd, static_cast<std::uint64_t>(offset), whence, place});
    return error == Errno::success ? static_cast<std::int64_t>(guest.read<std::uint64_t>(place))
                                   : -static_cast<std::int64_t>(error);
  };
  CHECK(seek(4, 2) == 4);
  CHECK(seek(3, 0) == 7);
  CHECK(seek(-1, 1) == 9);
  CHECK(seek(0, 0) == 9);
  CHECK(seek(0, 3) == -static_cast<std::int64_t>(Errno::inval));
  // The same numbers mean something else in preview1.
  guest.use_module(kModuleName);
  CHECK(seek(4, 0) == 4);
  CHECK(seek(-1, 2) == 9);
}

TEST_CASE("snapshot 0: attributes take 56 bytes", "[snapshot0]") {
  World world;
  world.dir.write("file", "12345");
  Guest& guest = world.guest;
  REQUIRE(guest.hard_link("file", "other") == Errno::success);
  const auto file = guest.open("file");
  guest.use_module(kModuleName);
  FileStat expected;
  REQUIRE(guest.stat("file", expected) == Errno::success);
  guest.use_module(kOldModuleName);

  const std::uint32_t place = guest.allocate(128);
  for (const bool by_path : {false, true}) {
    INFO(by_path);
    for (std::uint32_t i = 0; i < 128; ++i) guest.write(place + i, std::uint8_t{0xAA});
    const Errno error = by_path ? guest.call("path_filestat_get", {kRoot, 0, guest.put("file"), 4, place})
                                : guest.call("fd_filestat_get", {file.fd, place});
    REQUIRE(error == Errno::success);
    CHECK(guest.read<std::uint64_t>(place) == expected.dev);
    CHECK(guest.read<std::uint64_t>(place + 8) == expected.ino);
    CHECK(guest.read<std::uint8_t>(place + 16) == 4);
    CHECK(guest.read<std::uint32_t>(place + 20) == 2);
    CHECK(guest.read<std::uint64_t>(place + 24) == 5);
    CHECK(guest.read<std::uint64_t>(place + 32) == expected.atim);
    CHECK(guest.read<std::uint64_t>(place + 40) == expected.mtim);
    CHECK(guest.read<std::uint64_t>(place + 48) == expected.ctim);
    CHECK(guest.read<std::uint8_t>(place + 56) == 0xAA);
    // At the very end of memory, where the longer form would not fit.
    CHECK(guest.call("fd_filestat_get", {file.fd, world.end() - 56}) == Errno::success);
    CHECK(guest.read<std::uint64_t>(world.end() - 32) == 5);
    CHECK(guest.call("fd_filestat_get", {file.fd, world.end() - 55}) == Errno::fault);
  }
  // After a failure nothing has been written.
  for (std::uint32_t i = 0; i < 56; ++i) guest.write(place + i, std::uint8_t{0xAA});
  CHECK(guest.call("path_filestat_get", {kRoot, 0, guest.put("none"), 4, place}) == Errno::noent);
  CHECK(guest.text(place, 56) == std::string(56, '\xAA'));
}

TEST_CASE("snapshot 0: clocks to wait for have an identifier before their own", "[snapshot0]") {
  World world;
  Guest& guest = world.guest;
  snapshot0::Subscription subscription{};
  subscription.userdata = 0x1122'3344'5566'7788;
  subscription.type = EventType::clock;
  subscription.identifier_or_fd = 0xFFFF'FFFF'FFFF'FFFF;
  subscription.clock = 1;
  subscription.timeout = 1000;
  snapshot0::Subscription reading{};
  reading.userdata = 2;
  reading.type = EventType::fd_read;
  reading.identifier_or_fd = 66;
  const std::uint32_t in = guest.allocate(2 * sizeof(subscription));
  const std::uint32_t out = guest.allocate(2 * sizeof(Event));
  const std::uint32_t count = guest.allocate(4);
  guest.write(in, subscription);
  guest.write(in + 56, reading);
  REQUIRE(guest.call("poll_oneoff", {in, out, 1, count}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(count) == 1);
  Event event = guest.read<Event>(out);
  CHECK(event.userdata == subscription.userdata);
  CHECK(event.type == EventType::clock);
  CHECK(event.error == Errno::success);

  // An absolute time that has passed, and a descriptor that is not open.
  subscription.clock_flags = subclockflag::abstime;
  subscription.timeout = 1;
  guest.write(in, subscription);
  REQUIRE(guest.call("poll_oneoff", {in, out, 2, count}) == Errno::success);
  REQUIRE(guest.read<std::uint32_t>(count) == 2);
  event = guest.read<Event>(out + sizeof(Event));
  CHECK(event.userdata == 2);
  CHECK(event.type == EventType::fd_read);
  CHECK(event.error == Errno::badf);

  subscription.clock = 99;
  guest.write(in, subscription);
  REQUIRE(guest.call("poll_oneoff", {in, out, 1, count}) == Errno::success);
  CHECK(guest.read<Event>(out).error == Errno::inval);

  // Subscriptions that end where memory does.
  subscription.clock = 1;
  guest.write(world.end() - 56, subscription);
  CHECK(guest.call("poll_oneoff", {world.end() - 56, out, 1, count}) == Errno::success);
  CHECK(guest.call("poll_oneoff", {world.end() - 55, out, 1, count}) == Errno::fault);
  CHECK(guest.call("poll_oneoff", {world.end() - 56, out, 2, count}) == Errno::fault);
  CHECK(guest.call("poll_oneoff", {0, out, 0xFFFF'FFFF, count}) == Errno::fault);
  CHECK(guest.call("poll_oneoff", {in, out, 0, count}) == Errno::inval);
}

TEST_CASE("snapshot 0 can be traced", "[snapshot0]") {
  static std::vector<std::string> lines;
  lines.clear();
  World world([](Config config) {
    config.trace.sink = [](std::string_view line) { lines.emplace_back(line); };
    return config;
  });
  world.dir.write("file", "12345");
  Guest& guest = world.guest;
  const auto file = guest.open("file");
  guest.call("fd_seek", {file.fd, 1, 2, 0x1000});
  CHECK(lines.back() == "fd_seek(fd=4</file>, offset=1, whence=set, position=[1]) = 0");
  guest.call("fd_filestat_get", {file.fd, 0x1000});
  CHECK_THAT(lines.back(), Catch::Contains("type=regular_file, nlink=1, size=5, "));
  snapshot0::Subscription subscription{};
  subscription.type = EventType::fd_read;
  subscription.identifier_or_fd = 66;
  guest.write(0x2000, subscription);
  guest.call("poll_oneoff", {0x2000, 0x3000, 1, 0x1000});
  CHECK(lines.back() ==
        "poll_oneoff(subscriptions=[{userdata=0x0, fd_read=66}], events=[{userdata=0x0, fd_read, error=EBADF}], "
        "nevents=[1]) = 0");
}

}  // namespace
}  // namespace wasi::preview1
