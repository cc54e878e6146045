// What --trace wasi shows.
#include <catch2/catch.hpp>
#include <chrono>

#include "guest.h"
#include "runtime/store.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

struct Traced {
  wasi::test::TempDir dir;
  std::vector<std::string> lines;
  Guest guest;

  Traced() : guest(configure()) {}
  Config configure() {
    dir.write("file", "line\n");
    Config config = test::with_directory(dir.path());
    config.args = {"program"};
    config.trace = [this](std::string_view line) { lines.emplace_back(line); };
    return config;
  }
  std::string last() { return lines.empty() ? "" : lines.back(); }
};

TEST_CASE("a call is one line with names, decoded values and the error's name", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file", oflag::trunc | oflag::creat, right::fd_read | right::fd_write);
  REQUIRE(file.error == Errno::success);
  CHECK(traced.last() ==
        "path_open(fd=3, dirflags=symlink_follow, path=\"file\", oflags=creat|trunc, base=0x42, "
        "inheriting=0x3fffffff, fdflags=0, opened=[4]) = ESUCCESS");
  guest.write_text(file.fd, "quoted \"text\"\n\x01");
  CHECK(traced.last() == R"(fd_write(fd=4, iovs=[{"quoted \"text\"\n\x01", 15}], nwritten=[15]) = ESUCCESS)");
  guest.call("fd_seek", {file.fd, static_cast<std::uint64_t>(-8), 1, 0x100});
  CHECK(traced.last() == "fd_seek(fd=4, offset=-8, whence=cur, position=0x100) = ENOTCAPABLE");
  CHECK(traced.lines.size() == 3);
}

TEST_CASE("results are shown behind the calls that gave them", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file");
  guest.read_text(file.fd, 50);
  CHECK(traced.last() == R"(fd_read(fd=4, iovs=[{"line\n", 50}], nread=[5]) = ESUCCESS)");
  guest.call("fd_fdstat_get", {kRoot, 0x1000});
  CHECK(traced.last() ==
        "fd_fdstat_get(fd=3, stat=[{type=directory, flags=0, base=0xfbffe19, inheriting=0xfffffff}]) = ESUCCESS");
  guest.call("fd_prestat_get", {kRoot, 0x1000});
  CHECK(traced.last() == "fd_prestat_get(fd=3, stat=[{dir, name_length=1}]) = ESUCCESS");
  guest.call("fd_filestat_get", {file.fd, 0x1000});
  CHECK_THAT(traced.last(), Catch::StartsWith("fd_filestat_get(fd=4, stat=[{type=regular_file, ino=") &&
                                Catch::Contains(", nlink=1, size=5, mtim=") && Catch::EndsWith("}]) = ESUCCESS"));
  guest.call("clock_res_get", {1, 0x1000});
  CHECK_THAT(traced.last(), Catch::StartsWith("clock_res_get(clock=monotonic, resolution=["));
  guest.call("random_get", {0x1000, 16});
  CHECK(traced.last() == "random_get(buffer=0x1000, 16) = ESUCCESS");
  guest.call("sched_yield", {});
  CHECK(traced.last() == "sched_yield() = ESUCCESS");
}

TEST_CASE("what was not understood is shown as it came", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  guest.call("path_unlink_file", {kRoot, 0xFFFF'FFFF, 9});
  CHECK(traced.last() == "path_unlink_file(fd=3, path=0xffffffff, 0x9) = EFAULT");
  guest.call("fd_write", {99, 0x10, 1, 0x20});
  CHECK(traced.last() == "fd_write(fd=0x63, iovs=0x10, 0x1, nwritten=0x20) = EBADF");
  guest.call("fd_fdstat_set_flags", {kRoot, 0x80});
  CHECK(traced.last() == "fd_fdstat_set_flags(fd=3, flags=0x80) = EINVAL");
}

TEST_CASE("long data is cut", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file", 0, right::fd_write);
  guest.write_text(file.fd, std::string(100, 'x'));
  CHECK(traced.last() ==
        "fd_write(fd=4, iovs=[{\"" + std::string(32, 'x') + "\"..., 100}], nwritten=[100]) = ESUCCESS");
  const std::uint32_t text = guest.put("x");
  const std::uint32_t buffers = guest.iovs(
      {{text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}, {text, 1}});
  guest.call("fd_write", {file.fd, buffers, 10, 0x1000});
  CHECK_THAT(traced.last(), Catch::Contains("{\"x\", 1}, ...], nwritten=[10]"));
}

TEST_CASE("waits and ends are shown", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  Subscription subscription{};
  subscription.clock_or_fd = 1;
  subscription.timeout = 1000;
  guest.write(0x1000, subscription);
  subscription.type = EventType::fd_write;
  guest.write(0x1030, subscription);
  guest.call("poll_oneoff", {0x1000, 0x2000, 2, 0x3000});
  CHECK_THAT(traced.last(),
             Catch::StartsWith("poll_oneoff(subscriptions=[{clock=monotonic, 1000ns}, {fd_write=1}], nevents=["));
  guest.call("proc_exit", {3});
  CHECK(traced.last() == "proc_exit(status=3) = ?");
  guest.store().set_deadline(std::chrono::steady_clock::now());
  subscription.type = EventType::clock;
  subscription.timeout = 3'600'000'000'000;
  guest.write(0x1000, subscription);
  guest.call("poll_oneoff", {0x1000, 0x2000, 1, 0x3000});
  CHECK(traced.last() ==
        "poll_oneoff(subscriptions=[{clock=monotonic, 3600000000000ns}], nevents=0x3000) = ? (deadline exceeded)");
}

}  // namespace
}  // namespace wasi::preview1
