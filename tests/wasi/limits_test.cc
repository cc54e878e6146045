// Limits of a program: where each begins, what the errno is, and that nothing has happened by then.
#include <catch2/catch.hpp>

#include "guest.h"
#include "support/temp_dir.h"
#include "wasi/write_quota.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

constexpr Rights kWrite = right::fd_write | right::fd_seek | right::fd_tell;

struct World {
  wasi::test::TempDir dir;
  Guest guest;

  explicit World(Limits limits, std::optional<std::uint64_t> quota = std::nullopt) : guest(configure(limits, quota)) {}
  Config configure(Limits limits, std::optional<std::uint64_t> quota) {
    dir.make_directory("root/sub");
    Config config = test::with_directory(dir / "root");
    config.limits = limits;
    config.preopens[0].write_limit = quota;
    return config;
  }
  std::uint32_t create(std::string_view path, std::uint32_t fdflags = 0) {
    const auto opened = guest.open(path, oflag::creat, right::kAll, kRoot, 1, fdflags);
    REQUIRE(opened.error == Errno::success);
    return opened.fd;
  }
};

TEST_CASE("open descriptors are limited", "[limits]") {
  World world({.descriptors = 10});
  Guest& guest = world.guest;
  for (std::uint32_t fd = 4; fd < 10; ++fd) CHECK(guest.open("file", oflag::creat, kWrite).fd == fd);
  CHECK(guest.open("other", oflag::creat, kWrite).error == Errno::mfile);
  CHECK_FALSE(world.dir.has("root/other"));
  CHECK(guest.call("fd_close", {7}) == Errno::success);
  CHECK(guest.open("other", oflag::creat, kWrite).fd == 7);
}

TEST_CASE("paths are limited", "[limits]") {
  World world({.path_length = 20});
  Guest& guest = world.guest;
  const std::string longest(20, 'a');
  CHECK(guest.open(longest, oflag::creat, kWrite).error == Errno::success);
  CHECK(guest.open(longest + "a", oflag::creat, kWrite).error == Errno::nametoolong);
  CHECK(guest.path_call("path_create_directory", "sub/" + std::string(17, 'b')) == Errno::nametoolong);
  CHECK(guest.symlink(std::string(21, 'b'), "link") == Errno::nametoolong);
  CHECK(guest.rename(longest, longest + "a") == Errno::nametoolong);
  CHECK(world.dir.has("root/" + longest));
}

TEST_CASE("subscriptions and buffers are limited", "[limits]") {
  World world({.subscriptions = 4, .iovecs = 3});
  Guest& guest = world.guest;
  const std::uint32_t subscriptions = guest.allocate(5 * sizeof(Subscription));
  const std::uint32_t events = guest.allocate(5 * sizeof(Event));
  const std::uint32_t out = guest.allocate(4);
  for (const std::uint64_t count : {4, 5}) {
    INFO(count);
    CHECK(guest.call("poll_oneoff", {subscriptions, events, count, out}) ==
          (count == 4 ? Errno::success : Errno::inval));
  }
  const std::uint32_t fd = world.create("file");
  const std::uint32_t text = guest.put("x");
  const std::uint32_t buffers = guest.iovs({{text, 1}, {text, 1}, {text, 1}, {text, 1}});
  CHECK(guest.call("fd_write", {fd, buffers, 4, out}) == Errno::inval);
  CHECK(guest.call("fd_pwrite", {fd, buffers, 4, 0, out}) == Errno::inval);
  CHECK(guest.call("fd_read", {fd, buffers, 4, out}) == Errno::inval);
  CHECK(world.dir.read("root/file").empty());
  CHECK(guest.call("fd_write", {fd, buffers, 3, out}) == Errno::success);
  CHECK(world.dir.read("root/file") == "xxx");
}

TEST_CASE("what is written below a directory is limited, by whatever descriptor", "[limits]") {
  constexpr std::uint64_t kName = WriteQuota::kNameCost;
  World world({}, kName + 100);
  Guest& guest = world.guest;
  const std::uint32_t out = guest.allocate(4);
  const std::uint32_t fd = world.create("file");
  CHECK(guest.write_text(fd, std::string(30, 'a')) == Errno::success);
  // The same place again counts again.
  const std::uint32_t ten = guest.iovs({{guest.put("0123456789"), 10}});
  CHECK(guest.call("fd_pwrite", {fd, ten, 1, 0, out}) == Errno::success);
  // Opening what is there costs nothing, also with O_CREAT; what was opened anew counts to the same.
  const std::uint32_t again = world.create("file");
  CHECK(guest.write_text(again, std::string(20, 'b')) == Errno::success);
  REQUIRE(guest.call("fd_renumber", {fd, again}) == Errno::success);
  CHECK(guest.write_text(again, std::string(20, 'c')) == Errno::success);
  // Through a directory of the directory.
  const auto root = guest.open("sub/..", oflag::directory, right::kAll & ~right::fd_write);
  REQUIRE(root.error == Errno::success);
  const auto third = guest.open("file", 0, kWrite, root.fd);
  REQUIRE(third.error == Errno::success);
  // 20 are left: a part of 30, and then nothing.
  CHECK(guest.call("fd_write",
                   {third.fd, guest.iovs({{guest.put(std::string(15, 'd')), 15}, {guest.put("0123456789abcde"), 15}}),
                    2, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 20);
  CHECK(world.dir.read("root/file") == std::string(15, 'd') + "01234" + std::string(10, 'a') + std::string(20, 'c'));
  CHECK(guest.write_text(third.fd, "x") == Errno::dquot);
  CHECK(guest.call("fd_pwrite", {again, ten, 1, 0, out}) == Errno::dquot);
  CHECK(guest.call("fd_filestat_set_size", {again, 51}) == Errno::dquot);
  CHECK(guest.call("fd_allocate", {again, 0, 1}) == Errno::dquot);
  CHECK(guest.open("new", oflag::creat, kWrite).error == Errno::dquot);
  CHECK(guest.path_call("path_create_directory", "new") == Errno::dquot);
  CHECK(guest.symlink("x", "new") == Errno::dquot);
  CHECK(guest.hard_link("file", "new") == Errno::dquot);
  CHECK_FALSE(world.dir.has("root/new"));
  // What takes nothing still works.
  CHECK(guest.write_text(again, "") == Errno::success);
  CHECK(guest.call("fd_filestat_set_size", {again, 50}) == Errno::success);
  CHECK(guest.rename("file", "renamed") == Errno::success);
  CHECK(guest.path_call("path_unlink_file", "renamed") == Errno::success);
  // What is gone is not given back.
  CHECK(guest.write_text(again, "x") == Errno::dquot);
}

TEST_CASE("what a write leaves behind it counts as well", "[limits]") {
  constexpr std::uint64_t kName = WriteQuota::kNameCost;
  World world({}, kName + 1000);
  Guest& guest = world.guest;
  const std::uint32_t out = guest.allocate(8);
  const std::uint32_t fd = world.create("file");
  const std::uint32_t one = guest.iovs({{guest.put("x"), 1}});
  // What fails counts nothing.
  CHECK(guest.open("file", oflag::creat | oflag::excl, kWrite).error == Errno::exist);
  CHECK(guest.open("none/file", oflag::creat, kWrite).error == Errno::noent);
  CHECK(guest.path_call("path_create_directory", "sub") == Errno::exist);
  CHECK(guest.call("fd_pwrite", {fd, one, 1, UINT64_MAX, out}) == Errno::inval);
  CHECK(guest.call("fd_pwrite", {fd, one, 1, 1000, out}) == Errno::dquot);
  CHECK(world.dir.read("root/file").empty());
  CHECK(guest.call("fd_pwrite", {fd, one, 1, 499, out}) == Errno::success);
  REQUIRE(guest.call("fd_seek", {fd, 200, static_cast<std::uint64_t>(Whence::end), out}) == Errno::success);
  CHECK(guest.write_text(fd, "x") == Errno::success);
  // 299 are left.
  CHECK(guest.call("fd_filestat_set_size", {fd, 1001}) == Errno::dquot);
  CHECK(guest.call("fd_filestat_set_size", {fd, 900}) == Errno::success);
  CHECK(guest.call("fd_filestat_set_size", {fd, 0}) == Errno::success);
  CHECK(guest.call("fd_filestat_set_size", {fd, 101}) == Errno::dquot);
  CHECK(guest.call("fd_filestat_set_size", {fd, 50}) == Errno::success);
  // Where the end is written to, a position leaves nothing.
  const std::uint32_t appending = world.create("file", fdflag::append);
  REQUIRE(guest.call("fd_seek", {appending, 10'000, 0, out}) == Errno::success);
  CHECK(guest.write_text(appending, std::string(40, 'a')) == Errno::success);
  CHECK(guest.write_text(appending, std::string(10, 'a')) == Errno::success);
  CHECK(guest.write_text(appending, "a") == Errno::dquot);
}

TEST_CASE("each thing that is made counts, also through a link that leads to nothing", "[limits]") {
  constexpr std::uint64_t kName = WriteQuota::kNameCost;
  World world({}, 5 * kName + 3);
  Guest& guest = world.guest;
  CHECK(guest.symlink("new", "dangling") == Errno::success);
  CHECK(guest.open("dangling", oflag::creat, kWrite).error == Errno::success);
  CHECK(guest.open("dangling", oflag::creat, kWrite).error == Errno::success);
  CHECK(guest.path_call("path_create_directory", "directory") == Errno::success);
  CHECK(guest.open("directory", oflag::creat, right::fd_read).error == Errno::isdir);
  CHECK(guest.hard_link("new", "second") == Errno::success);
  CHECK(guest.open("third", oflag::creat | oflag::excl, kWrite).error == Errno::success);
  CHECK(guest.open("fourth", oflag::creat, kWrite).error == Errno::dquot);
  CHECK(guest.open("third", oflag::creat, kWrite).error == Errno::success);
}

}  // namespace
}  // namespace wasi::preview1
