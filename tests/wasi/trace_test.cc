// What --trace wasi shows.
#include "wasi/trace.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "guest.h"
#include "runtime/store.h"
#include "support/temp_dir.h"
#include "wasi/params.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

struct Traced {
  wasi::test::TempDir dir;
  std::vector<std::string> lines;
  std::atomic<int> count_ = 0;
  Guest guest;

  explicit Traced(const std::function<void(Config&)>& change = [](Config&) {}) : guest(configure(change)) {}
  Config configure(const std::function<void(Config&)>& change) {
    dir.write("file", "line\n");
    Config config = test::with_directory(dir.path());
    config.args = {"program"};
    config.env = {"A=1", "B="};
    config.trace.sink = [this](std::string_view line) {
      lines.emplace_back(line);
      ++count_;
    };
    change(config);
    return config;
  }
  int count() const { return count_; }
  std::string last() { return lines.empty() ? "" : lines.back(); }
};

TEST_CASE("a call is one line with names, decoded values and the error's name", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file", oflag::trunc | oflag::creat, right::fd_read | right::fd_write);
  REQUIRE(file.error == Errno::success);
  CHECK(traced.last() ==
        "path_open(fd=3</>, dirflags=symlink_follow, path=\"file\", oflags=creat|trunc, base=fd_read|fd_write, "
        "inheriting=all, fdflags=0, opened=[4]) = 0");
  guest.write_text(file.fd, "quoted \"text\"\n\x01");
  CHECK(traced.last() == R"(fd_write(fd=4</file>, iovs=[{"quoted \"text\"\n\x01", 15}], nwritten=[15]) = 0)");
  guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read, 0});
  guest.call("fd_seek", {file.fd, static_cast<std::uint64_t>(-8), 1, 0x100});
  CHECK(traced.last() ==
        "fd_seek(fd=4</file>, offset=-8, whence=cur, position=0x100) = ENOTCAPABLE (Capabilities insufficient)");
  CHECK(traced.lines.size() == 4);
}

TEST_CASE("results are shown behind the calls that gave them", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file");
  guest.read_text(file.fd, 50);
  CHECK(traced.last() == R"(fd_read(fd=4</file>, iovs=[{"line\n", 50}], nread=[5]) = 0)");
  guest.call("fd_fdstat_get", {kRoot, 0x1000});
  CHECK(
      traced.last() ==
      "fd_fdstat_get(fd=3</>, stat=[{type=directory, flags=0, "
      "base=~(fd_read|fd_seek|fd_tell|fd_write|fd_advise|fd_allocate|fd_filestat_set_size|sock_shutdown|sock_accept), "
      "inheriting=~(sock_shutdown|sock_accept)}]) = 0");
  guest.call("fd_prestat_get", {kRoot, 0x1000});
  CHECK(traced.last() == "fd_prestat_get(fd=3</>, stat=[{dir, name_length=1}]) = 0");
  guest.call("fd_filestat_get", {file.fd, 0x1000});
  CHECK_THAT(traced.last(), Catch::StartsWith("fd_filestat_get(fd=4</file>, stat=[{dev=0x") &&
                                Catch::Contains(", type=regular_file, nlink=1, size=5, atim=") &&
                                Catch::EndsWith("}]) = 0"));
  guest.call("clock_res_get", {1, 0x1000});
  CHECK_THAT(traced.last(), Catch::StartsWith("clock_res_get(clock=monotonic, resolution=["));
  guest.call("random_get", {0x1000, 16});
  CHECK_THAT(traced.last(), Catch::StartsWith("random_get(buffer=\"") && Catch::EndsWith("\", 16) = 0"));
  guest.call("sched_yield", {});
  CHECK(traced.last() == "sched_yield() = 0");
}

TEST_CASE("what was not understood is shown as it came", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  guest.call("path_unlink_file", {kRoot, 0xFFFF'FFFF, 9});
  CHECK(traced.last() == "path_unlink_file(fd=3</>, path=0xffffffff, 0x9) = EFAULT (Bad address)");
  guest.call("fd_write", {99, 0x10, 1, 0x20});
  CHECK(traced.last() == "fd_write(fd=99, iovs=0x10, 0x1, nwritten=0x20) = EBADF (Bad file descriptor)");
  guest.call("fd_fdstat_set_flags", {kRoot, 0x80});
  CHECK(traced.last() == "fd_fdstat_set_flags(fd=3</>, flags=0x80) = EINVAL (Invalid argument)");
}

TEST_CASE("long data is cut", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("file", 0, right::fd_write);
  guest.write_text(file.fd, std::string(100, 'x'));
  CHECK(traced.last() ==
        "fd_write(fd=4</file>, iovs=[{\"" + std::string(32, 'x') + "\"..., 100}], nwritten=[100]) = 0");
  const std::uint32_t text = guest.put("x");
  const std::uint32_t buffers = guest.allocate(8 * 40);
  for (std::uint32_t i = 0; i < 40; ++i) {
    guest.write(buffers + i * 8, text);
    guest.write(buffers + i * 8 + 4, std::uint32_t{1});
  }
  guest.call("fd_write", {file.fd, buffers, 40, 0x1000});
  CHECK_THAT(traced.last(), Catch::Contains("{\"x\", 1}, ...], nwritten=[40]"));
  // Paths are what one looks for: more is shown of them.
  guest.path_call("path_unlink_file", std::string(100, 'p'));
  CHECK_THAT(traced.last(), Catch::Contains("path=\"" + std::string(100, 'p') + "\")"));
  guest.path_call("path_unlink_file", std::string(300, 'p'));
  CHECK_THAT(traced.last(), Catch::Contains("path=\"" + std::string(256, 'p') + "\"...)"));
}

TEST_CASE("how much is shown of data can be chosen", "[trace]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{1000}}) {
    Traced traced([size](Config& config) { config.trace.string_size = size; });
    Guest& guest = traced.guest;
    const auto file = guest.open("file", 0, right::fd_write);
    guest.write_text(file.fd, std::string(100, 'x'));
    const std::string shown(std::min<std::size_t>(size, 100), 'x');
    CHECK_THAT(traced.last(), Catch::Contains("[{\"" + shown + (size < 100 ? "\"..., 100}]" : "\", 100}]")));
  }
}

TEST_CASE("rights are names, or those that are missing", "[trace]") {
  const auto text = [](Rights rights) {
    std::string out;
    describe_rights(out, rights);
    return out;
  };
  CHECK(text(0) == "0");
  CHECK(text(right::fd_read | right::path_open) == "fd_read|path_open");
  CHECK(text(right::kAll) == "all");
  CHECK(text(right::kAll & ~right::fd_write) == "~(fd_write)");
}

TEST_CASE("buffers that calls filled are shown as far as they filled them", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  traced.dir.write("other", "");
  REQUIRE(guest.symlink("target of the link", "link") == Errno::success);
  CHECK(traced.last() == "path_symlink(target=\"target of the link\", fd=3</>, path=\"link\") = 0");
  const std::uint32_t place = guest.allocate(1024);
  guest.call("path_readlink", {kRoot, guest.put("link"), 4, place, 6, 0x3000});
  CHECK(traced.last() == "path_readlink(fd=3</>, path=\"link\", target=\"target\", 6, used=[6]) = 0");
  guest.call("fd_prestat_dir_name", {kRoot, place, 1});
  CHECK(traced.last() == "fd_prestat_dir_name(fd=3</>, name=\"/\", 1) = 0");
  guest.call("args_get", {place, place + 100});
  CHECK(traced.last() == "args_get(argv=[\"program\"]) = 0");
  guest.call("environ_get", {place, place + 100});
  CHECK(traced.last() == "environ_get(environ=[\"A=1\", \"B=\"]) = 0");
  guest.call("fd_readdir", {kRoot, place, 1024, 0, 0x3000});
  CHECK_THAT(traced.last(), Catch::StartsWith("fd_readdir(fd=3</>, entries=[{next=") &&
                                Catch::Contains(", type=directory, name=\"..\"}") &&
                                Catch::Contains(", type=symbolic_link, name=\"link\"}") &&
                                Catch::Contains("}], 1024, cookie=0, used=["));
  guest.call("fd_readdir", {kRoot, place, 26, 0, 0x3000});
  CHECK_THAT(traced.last(), Catch::EndsWith("], 26, cookie=0, used=[26]) = 0"));
  guest.call("fd_readdir", {kRoot, place, 8, 0, 0x3000});
  CHECK(traced.last() == "fd_readdir(fd=3</>, entries=[...], 8, cookie=0, used=[8]) = 0");
}

TEST_CASE("descriptors have the names under which they were opened", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  REQUIRE(guest.path_call("path_create_directory", "sub") == Errno::success);
  const auto sub = guest.open("sub", oflag::directory);
  const auto file = guest.open("inner", oflag::creat, right::fd_write, sub.fd);
  guest.call("fd_renumber", {file.fd, 1});
  CHECK(traced.last() == "fd_renumber(fd=5</sub/inner>, to=1<stdout>) = 0");
  guest.write_text(1, "x");
  CHECK_THAT(traced.last(), Catch::StartsWith("fd_write(fd=1</sub/inner>, "));
  guest.call("fd_close", {sub.fd});
  CHECK(traced.last() == "fd_close(fd=4</sub>) = 0");
}

TEST_CASE("what a program chooses does not break lines, and takes no room without end", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const auto file = guest.open("new\n\x1b[31m\xc3\xa4", oflag::creat, right::fd_write);
  REQUIRE(file.error == Errno::success);
  guest.call("fd_close", {file.fd});
  CHECK(traced.last() == "fd_close(fd=4</new\\n\\x1b[31m\\xc3\\xa4>) = 0");
  std::uint32_t directory = kRoot;
  for (int i = 0; i < 300; ++i) {
    const auto next = guest.open(".", oflag::directory, right::kAll & ~right::fd_write, directory);
    REQUIRE(next.error == Errno::success);
    directory = next.fd;
  }
  guest.call("fd_close", {directory});
  CHECK_THAT(traced.last(), Catch::Contains("<...") && Catch::Contains("/./.>) = 0"));
  CHECK(traced.last().size() < 300);
}

TEST_CASE("results that lie in each other's way are shown as they are", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  const std::uint32_t place = guest.allocate(1024);
  for (std::uint32_t offset = 0; offset < 60; ++offset) {
    REQUIRE(guest.call("fd_readdir", {kRoot, place, 100, 0, place + offset}) == Errno::success);
    CHECK_THAT(traced.last(), Catch::StartsWith("fd_readdir(fd=3</>, entries=[{next=") && Catch::EndsWith("]) = 0"));
  }
  // A file type that there is not: the count takes its place.
  guest.call("fd_readdir", {kRoot, place, 1000, 0, place + 20});
  CHECK_THAT(traced.last(), Catch::Contains(", type=?, "));
  const std::uint32_t buffer = guest.iovs({{place, 100}});
  const auto file = guest.open("file");
  guest.call("fd_read", {file.fd, buffer, 1, buffer + 4});
  CHECK_THAT(traced.last(), Catch::EndsWith("iovs=[{\"line\\n\", 100}], nread=[5]) = 0"));
}

TEST_CASE("the time of a call can be shown", "[trace]") {
  Traced traced([](Config& config) { config.trace.times = true; });
  traced.guest.call("sched_yield", {});
  CHECK_THAT(traced.last(), Catch::Matches(R"(sched_yield\(\) = 0 <\d+\.\d{6}>)"));
  traced.guest.call("fd_close", {77});
  CHECK_THAT(traced.last(), Catch::Matches(R"(.* = EBADF \(Bad file descriptor\) <\d+\.\d{6}>)"));
}

TEST_CASE("only the functions that are asked for", "[trace]") {
  Traced traced([](Config& config) { config.trace.functions = {"path_*", "fd_close"}; });
  Guest& guest = traced.guest;
  const auto file = guest.open("file");
  guest.read_text(file.fd);
  guest.call("sched_yield", {});
  guest.call("fd_close", {file.fd});
  REQUIRE(traced.lines.size() == 2);
  CHECK_THAT(traced.lines[0], Catch::StartsWith("path_open("));
  CHECK(traced.lines[1] == "fd_close(fd=4</file>) = 0");
}

TEST_CASE("a call that waits is shown before it is done", "[trace]") {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  Traced traced([&](Config& config) { config.in = {.kind = Stdio::Kind::fd, .fd = pipe[0]}; });
  std::thread writer([&] {
    // Not before somebody has seen that the program waits.
    while (traced.count() == 0) std::this_thread::yield();
    CHECK(::write(pipe[1], "x", 1) == 1);
  });
  traced.guest.read_text(0, 10);
  writer.join();
  REQUIRE(traced.lines.size() == 2);
  CHECK(traced.lines[0] == "fd_read(fd=0<stdin> <unfinished ...>");
  CHECK(traced.lines[1] == "<... fd_read resumed>, iovs=[{\"x\", 10}], nread=[1]) = 0");
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("lines name their thread once there are several", "[trace]") {
  Traced traced;
  traced.guest.call("sched_yield", {});
  std::thread([&] {
    set_trace_thread(7);
    traced.guest.call("sched_yield", {});
  }).join();
  traced.guest.call("sched_yield", {});
  CHECK(traced.lines ==
        std::vector<std::string>{"sched_yield() = 0", "[tid 7] sched_yield() = 0", "[tid 0] sched_yield() = 0"});
}

TEST_CASE("waits and ends are shown", "[trace]") {
  Traced traced;
  Guest& guest = traced.guest;
  Subscription subscription{};
  subscription.userdata = 7;
  subscription.clock_or_fd = 1;
  subscription.timeout = 1000;
  guest.write(0x1000, subscription);
  subscription.type = EventType::fd_write;
  guest.write(0x1030, subscription);
  guest.call("poll_oneoff", {0x1000, 0x2000, 2, 0x3000});
  CHECK_THAT(traced.last(),
             Catch::StartsWith("poll_oneoff(subscriptions=[{userdata=0x7, clock=monotonic, timeout=0.000001000, "
                               "flags=0}, {userdata=0x7, fd_write=1}], events=[{userdata=0x7, ") &&
                 Catch::Contains("{userdata=0x7, fd_write, nbytes=0, flags=0}], nevents=["));
  // What was asked for is shown also where the answer has taken its place.
  subscription.clock_or_fd = 55;
  guest.write(0x1000, subscription);
  guest.call("poll_oneoff", {0x1000, 0x1000, 1, 0x3000});
  CHECK(traced.last() ==
        "poll_oneoff(subscriptions=[{userdata=0x7, fd_write=55}], events=[{userdata=0x7, fd_write, error=EBADF}], "
        "nevents=[1]) = 0");
  subscription.clock_or_fd = 1;
  guest.call("proc_exit", {3});
  CHECK(traced.last() == "proc_exit(status=3) = ?");
  subscription.type = EventType::clock;
  subscription.timeout = 3'600'000'000'000;
  subscription.clock_flags = 0x8000;
  guest.write(0x1000, subscription);
  guest.call("poll_oneoff", {0x1000, 0x2000, 1, 0x3000});
  CHECK(traced.last() ==
        "poll_oneoff(subscriptions=[{userdata=0x7, clock=monotonic, timeout=3600.000000000, flags=0x8000}], "
        "nevents=0x3000) = EINVAL (Invalid argument)");
  guest.store().keep_deadline(std::chrono::steady_clock::now());
  subscription.clock_flags = 0;
  guest.write(0x1000, subscription);
  guest.call("poll_oneoff", {0x1000, 0x2000, 1, 0x3000});
  CHECK(traced.last() ==
        "poll_oneoff(subscriptions=[{userdata=0x7, clock=monotonic, timeout=3600.000000000, flags=0}], "
        "nevents=0x3000) = ? (deadline exceeded)");
}

}  // namespace
}  // namespace wasi::preview1
