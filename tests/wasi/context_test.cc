// What an embedder configures, and what it is told when that cannot be.
#include "wasi/context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "guest.h"
#include "support/temp_dir.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

std::string error_of(Config config) {
  const auto context = Context::create(std::move(config));
  REQUIRE_FALSE(context);
  return context.error().to_string();
}

TEST_CASE("directories that cannot be given say which and why", "[context]") {
  const wasi::test::TempDir dir;
  dir.write("file", "");
  CHECK_THAT(
      error_of(test::with_directory(dir / "missing")),
      Catch::Contains("directory \"" + (dir / "missing").string() + "\" cannot be given to the program as \"/\"") &&
          Catch::Contains("No such file or directory"));
  CHECK_THAT(error_of(test::with_directory(dir / "file")), Catch::Contains("Not a directory"));
  if (::geteuid() != 0) {
    dir.make_directory("closed");
    ::chmod((dir / "closed").c_str(), 0);
    CHECK_THAT(error_of(test::with_directory(dir / "closed")), Catch::Contains("Permission denied"));
  }
  Config named = test::with_directory(dir.path());
  named.preopens[0].guest_path = "\xFF";
  CHECK_THAT(error_of(named), Catch::Contains("is not UTF-8"));
}

TEST_CASE("strings and descriptors that cannot be given say which and why", "[context]") {
  Config config;
  config.args = {"program", std::string("a\0b", 3)};
  CHECK_THAT(error_of(config), Catch::Contains("argument 1 has a NUL in it"));
  config = {};
  config.env = {"GOOD=1", "BAD"};
  CHECK_THAT(error_of(config), Catch::Contains("environment variable \"BAD\" is not NAME=value"));
  config.env = {"=x"};
  CHECK_THAT(error_of(config), Catch::Contains("environment variable \"=x\" is not NAME=value"));
  config = {};
  config.in = {.kind = Stdio::Kind::fd, .fd = 987654};
  CHECK_THAT(error_of(config), Catch::Contains("descriptor 987654 cannot be the program's stdin: Bad file descriptor"));
  const wasi::test::TempDir dir;
  const int fd = ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY);
  config = {};
  config.err = {.kind = Stdio::Kind::fd, .fd = fd};
  CHECK_THAT(error_of(config), Catch::Contains("it is a directory"));
  ::close(fd);
}

TEST_CASE("preopens are descriptors from 3 on, with their names", "[context]") {
  const wasi::test::TempDir dir;
  dir.make_directory("one");
  dir.make_directory("two");
  Config config;
  config.preopens = {{(dir / "one").string(), "/", Access::read_write},
                     {(dir / "two").string(), "data/x", Access::read_only}};
  Guest guest(config);
  const std::uint32_t out = guest.allocate(64);
  REQUIRE(guest.call("fd_prestat_get", {4, out}) == Errno::success);
  CHECK(guest.read<PreStat>(out).tag == 0);
  CHECK(guest.read<PreStat>(out).name_length == 6);
  CHECK(guest.call("fd_prestat_dir_name", {4, out, 5}) == Errno::nametoolong);
  REQUIRE(guest.call("fd_prestat_dir_name", {4, out, 7}) == Errno::success);
  CHECK(guest.text(out, 6) == "data/x");
  REQUIRE(guest.call("fd_prestat_dir_name", {3, out, 1}) == Errno::success);
  CHECK(guest.text(out, 1) == "/");
  CHECK(guest.call("fd_prestat_get", {5, out}) == Errno::badf);
  CHECK(guest.call("fd_prestat_get", {0, out}) == Errno::badf);
  CHECK(guest.call("fd_prestat_dir_name", {0, out, 64}) == Errno::badf);
}

TEST_CASE("a program that is given nothing has no files", "[context]") {
  Guest guest({});
  for (std::uint32_t fd = 0; fd < 100; ++fd) {
    INFO(fd);
    const Errno expected = fd < 3 ? Errno::notdir : Errno::badf;
    CHECK(guest.open("etc/passwd", 0, right::fd_read, fd).error == expected);
    CHECK(guest.path_call("path_create_directory", "x", fd) == expected);
    CHECK(guest.path_call("path_unlink_file", "x", fd) == expected);
    CHECK(guest.path_call("path_remove_directory", "x", fd) == expected);
    CHECK(guest.symlink("x", "y", fd) == expected);
    CHECK(guest.rename("x", "y", fd, fd) == expected);
    CHECK(guest.hard_link("x", "y", fd, fd) == expected);
    FileStat stat;
    CHECK(guest.stat("x", stat, 0, fd) == expected);
  }
}

TEST_CASE("null stdio reads nothing, swallows everything, and is no terminal", "[context]") {
  Guest guest({});
  CHECK(guest.read_text(0).empty());
  CHECK(guest.write_text(1, "gone") == Errno::success);
  CHECK(guest.write_text(2, "gone") == Errno::success);
  CHECK(guest.write_text(0, "wrong way") == Errno::badf);
  CHECK(guest.read_text(1) == "EBADF");
  // wasi-libc's isatty(): a character device that cannot be sought in.
  const FdStat stat = guest.fdstat(1);
  CHECK(stat.type == FileType::character_device);
  CHECK((stat.rights_base & (right::fd_seek | right::fd_tell)) != 0);
}

TEST_CASE("stdio of the embedder's is used, not closed and not changed", "[context]") {
  int in[2];
  int out[2];
  REQUIRE(::pipe(in) == 0);
  REQUIRE(::pipe(out) == 0);
  {
    Config config;
    config.in = {.kind = Stdio::Kind::fd, .fd = in[0]};
    config.out = {.kind = Stdio::Kind::fd, .fd = out[1]};
    Guest guest(config);
    REQUIRE(::write(in[1], "hello", 5) == 5);
    CHECK(guest.read_text(0) == "hello");
    CHECK(guest.write_text(1, "world") == Errno::success);
    char buffer[8];
    REQUIRE(::read(out[0], buffer, sizeof(buffer)) == 5);
    CHECK(std::string_view(buffer, 5) == "world");

    // A guest that does not want to wait does not change the pipe for others.
    REQUIRE(guest.call("fd_fdstat_set_flags", {0, fdflag::nonblock}) == Errno::success);
    CHECK(guest.fdstat(0).flags == fdflag::nonblock);
    CHECK((::fcntl(in[0], F_GETFL) & O_NONBLOCK) == 0);
    CHECK(guest.read_text(0) == "EAGAIN");
    CHECK(guest.call("fd_close", {0}) == Errno::success);
    CHECK(guest.call("fd_close", {0}) == Errno::badf);
  }
  CHECK(::fcntl(in[0], F_GETFD) >= 0);
  CHECK(::fcntl(out[1], F_GETFD) >= 0);
  for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
}

TEST_CASE("a write to a closed pipe is EPIPE and does not kill the process", "[context]") {
  int out[2];
  REQUIRE(::pipe(out) == 0);
  ::close(out[0]);
  Config config;
  config.out = {.kind = Stdio::Kind::fd, .fd = out[1]};
  Guest guest(config);
  CHECK(guest.write_text(1, "x") == Errno::pipe);
  CHECK(guest.write_text(1, "x") == Errno::pipe);
  ::close(out[1]);
}

}  // namespace
}  // namespace wasi::preview1
