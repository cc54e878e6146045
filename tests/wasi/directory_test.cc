// What POSIX says of files and directories, of the host and in memory: the same calls, the same answers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <set>

#include "world.h"

namespace wasi::preview1 {
namespace {

using test::Backing;
using test::Guest;
using test::kRoot;
using test::World;

constexpr Rights kRead = right::fd_read | right::fd_seek | right::fd_tell | right::fd_readdir;
constexpr Rights kWrite = right::fd_write | right::fd_seek | right::fd_tell;
constexpr Rights kList = right::kAll & ~right::fd_write;

auto backings() { return GENERATE(Backing::host, Backing::host_walk, Backing::memory); }

FileStat stat_of(Guest& guest, std::string_view path, std::uint32_t directory = kRoot) {
  FileStat stat;
  REQUIRE(guest.stat(path, stat, 0, directory) == Errno::success);
  return stat;
}

TEST_CASE("renaming replaces what it may", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.make_directory("root/empty");
  world.make_directory("root/full/below");
  world.make_directory("root/other");
  world.write("root/a", "a");
  world.write("root/b", "b");
  world.link("a", "root/link");
  CHECK(guest.rename("a", "full") == Errno::isdir);
  CHECK(guest.rename("full", "a") == Errno::notdir);
  CHECK(guest.rename("other", "full") == Errno::notempty);
  CHECK(guest.rename("full", "full/below") == Errno::inval);
  CHECK(guest.rename("full", "full/below/deeper") == Errno::inval);
  CHECK(guest.rename("full/below", "full") == Errno::notempty);
  CHECK(guest.rename("other", "full/below/../..") == Errno::busy);
  CHECK(guest.rename("none", "new") == Errno::noent);
  CHECK(guest.rename("none", "a") == Errno::noent);
  CHECK(guest.rename("a", "none/new") == Errno::noent);
  CHECK(guest.rename("a", "b/new") == Errno::notdir);
  CHECK(guest.rename(".", "new") == Errno::busy);
  CHECK(guest.rename("other", ".") == Errno::busy);
  CHECK(guest.rename("a", ".") == Errno::notdir);
  CHECK(guest.rename("none", ".") == Errno::noent);
  CHECK(guest.rename("a", "new/") == Errno::notdir);
  CHECK(guest.rename("a/", "new") == Errno::notdir);
  CHECK(guest.rename("full", "b/") == Errno::notdir);
  CHECK(guest.rename("a", "a") == Errno::success);
  CHECK(guest.rename("full", "full") == Errno::success);
  // Names of one file: nothing happens.
  REQUIRE(guest.hard_link("a", "a2") == Errno::success);
  CHECK(guest.rename("a", "a2") == Errno::success);
  CHECK(world.has("root/a"));
  CHECK(world.has("root/a2"));
  // Files over files, directories over empty ones, links as themselves.
  const std::uint64_t ino = stat_of(guest, "a").ino;
  CHECK(guest.rename("a", "b") == Errno::success);
  CHECK_FALSE(world.has("root/a"));
  CHECK(world.read("root/b") == "a");
  CHECK(stat_of(guest, "b").ino == ino);
  CHECK(guest.rename("full", "empty") == Errno::success);
  CHECK(world.has("root/empty/below"));
  CHECK(guest.rename("link", "empty/link") == Errno::success);
  CHECK(world.is_link("root/empty/link"));
  CHECK(guest.rename("empty", "other/moved/") == Errno::success);
  CHECK(world.has("root/other/moved/below"));
  CHECK(guest.rename("b", "other/moved/link") == Errno::success);
  CHECK(world.read("root/other/moved/link") == "a");
  // Through a directory of its own, and out of it again.
  const auto other = guest.open("other", oflag::directory, kList);
  REQUIRE(other.error == Errno::success);
  CHECK(guest.rename("moved/link", "out", other.fd, kRoot) == Errno::success);
  CHECK(guest.rename("out", "in", kRoot, other.fd) == Errno::success);
  CHECK(world.read("root/other/in") == "a");
}

TEST_CASE("links are counted", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.write("root/file", "text");
  CHECK(stat_of(guest, "file").nlink == 1);
  REQUIRE(guest.hard_link("file", "second") == Errno::success);
  CHECK(stat_of(guest, "file").nlink == 2);
  CHECK(stat_of(guest, "second").ino == stat_of(guest, "file").ino);
  CHECK(stat_of(guest, "second").dev == stat_of(guest, "file").dev);
  CHECK(guest.hard_link("file", "second") == Errno::exist);
  CHECK(guest.hard_link("none", "third") == Errno::noent);
  CHECK(guest.hard_link("file", "none/third") == Errno::noent);
  CHECK(guest.hard_link("file", "third/") == Errno::noent);
  CHECK(guest.hard_link("file/", "third") == Errno::notdir);
  REQUIRE(guest.path_call("path_create_directory", "directory") == Errno::success);
  CHECK(guest.hard_link("directory", "third") == Errno::perm);
  CHECK(guest.hard_link("file", ".") == Errno::exist);
  const std::uint32_t fd = world.open("second", 0, kRead | kWrite);
  CHECK(guest.write_text(fd, "T") == Errno::success);
  CHECK(world.read("root/file") == "Text");
  REQUIRE(guest.path_call("path_unlink_file", "file") == Errno::success);
  REQUIRE(guest.path_call("path_unlink_file", "second") == Errno::success);
  // Still there for who has it open.
  CHECK(guest.read_text(fd) == "ext");
  const std::uint32_t out = guest.allocate(sizeof(FileStat));
  REQUIRE(guest.call("fd_filestat_get", {fd, out}) == Errno::success);
  CHECK(guest.read<FileStat>(out).nlink == 0);
  CHECK(guest.read<FileStat>(out).size == 4);
  CHECK(guest.open("second").error == Errno::noent);
}

TEST_CASE("directories count theirs, and are of no use when they are gone", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.make_directory("root/a/b");
  world.make_directory("root/a/c");
  world.write("root/a/file", "");
  const std::uint64_t before = stat_of(guest, "a").nlink;
  REQUIRE(guest.path_call("path_remove_directory", "a/b") == Errno::success);
  // Some file systems count them all as one.
  CHECK((before == 4 ? stat_of(guest, "a").nlink == 3 : before == 1));
  const auto c = guest.open("a/c", oflag::directory, kList);
  REQUIRE(c.error == Errno::success);
  REQUIRE(guest.path_call("path_remove_directory", "a/c") == Errno::success);
  CHECK(guest.open("x", oflag::creat, kWrite, c.fd).error == Errno::noent);
  CHECK(guest.path_call("path_create_directory", "x", c.fd) == Errno::noent);
  CHECK(guest.symlink("x", "y", c.fd) == Errno::noent);
  CHECK(guest.hard_link("a/file", "x", kRoot, c.fd) == Errno::noent);
  CHECK(guest.rename("a/file", "x", kRoot, c.fd) == Errno::noent);
  CHECK(guest.open("..", oflag::directory, kList, c.fd).error == Errno::notcapable);
  const std::uint32_t out = guest.allocate(64);
  REQUIRE(guest.call("fd_readdir", {c.fd, out, 48, 0, out + 48}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out + 48) == 0);
  REQUIRE(guest.call("fd_filestat_get", {c.fd, out}) == Errno::success);
  CHECK(guest.read<FileStat>(out).type == FileType::directory);
  CHECK(guest.path_call("path_remove_directory", "a") == Errno::notempty);
  CHECK(guest.path_call("path_remove_directory", "a/..") == Errno::inval);
}

TEST_CASE("links are followed, in loops up to a limit", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.make_directory("root/sub/deep");
  world.write("root/sub/file", "found");
  REQUIRE(guest.symlink("b", "a") == Errno::success);
  REQUIRE(guest.symlink("a", "b") == Errno::success);
  REQUIRE(guest.symlink("self/x", "self") == Errno::success);
  FileStat stat;
  for (const char* path : {"a", "b", "a/x", "self", "self/"}) {
    INFO(path);
    CHECK(guest.open(path).error == Errno::loop);
    CHECK(guest.stat(path, stat, lookupflag::symlink_follow) == Errno::loop);
  }
  CHECK(guest.open("a", 0, kRead, kRoot, 0).error == Errno::loop);
  REQUIRE(guest.symlink("sub/deep/../file", "through") == Errno::success);
  REQUIRE(guest.symlink("../../through", "sub/deep/back") == Errno::success);
  const auto file = guest.open("sub/deep/back", 0, kRead);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.read_text(file.fd) == "found");
  // Forty are followed and one more is not.
  for (int i = 0; i <= 40; ++i) {
    const std::string target = i == 0 ? "sub" : "l" + std::to_string(i - 1);
    REQUIRE(guest.symlink(target, "l" + std::to_string(i)) == Errno::success);
  }
  CHECK(guest.stat("l39/file", stat) == Errno::success);
  CHECK(guest.stat("l40/file", stat) == Errno::loop);
  // A link to nothing: made through, unless it must not be there.
  REQUIRE(guest.symlink("sub/new", "dangling") == Errno::success);
  CHECK(guest.open("dangling", oflag::creat | oflag::excl, kWrite).error == Errno::exist);
  CHECK(guest.open("dangling").error == Errno::noent);
  CHECK(guest.open("dangling", oflag::creat, kWrite).error == Errno::success);
  CHECK(world.has("root/sub/new"));
  CHECK(guest.symlink("", "empty") == Errno::noent);
  CHECK(guest.symlink("x", "sub") == Errno::exist);
  CHECK(guest.open("l0", oflag::directory, kList, kRoot, 0).error != Errno::success);
}

TEST_CASE("opening says what is wrong", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.make_directory("root/sub");
  world.write("root/file", "text");
  CHECK(guest.open("sub", 0, kWrite).error == Errno::isdir);
  CHECK(guest.open("sub", oflag::creat, kRead).error == Errno::isdir);
  CHECK(guest.open("sub", oflag::creat | oflag::excl, kRead).error == Errno::exist);
  CHECK(guest.open("sub", oflag::trunc, kRead).error == Errno::isdir);
  CHECK(guest.open("file", oflag::directory, kRead).error == Errno::notdir);
  CHECK(guest.open("file/", 0, kRead).error == Errno::notdir);
  CHECK(guest.open("file/x", 0, kRead).error == Errno::notdir);
  CHECK(guest.open("file/.", 0, kRead).error == Errno::notdir);
  CHECK(guest.open("file/..", 0, kRead).error == Errno::notdir);
  CHECK(guest.open("none/..", 0, kRead).error == Errno::noent);
  CHECK(guest.open("none/x", oflag::creat, kRead).error == Errno::noent);
  CHECK(guest.open("new/", oflag::creat, kWrite).error == Errno::isdir);
  CHECK(guest.open(".", oflag::creat, kRead).error == Errno::isdir);
  CHECK(guest.open("", oflag::creat, kWrite).error == Errno::noent);
  CHECK_FALSE(world.has("root/new"));
  CHECK(guest.open("sub/../file", 0, kRead).error == Errno::success);
  CHECK(guest.open("./sub//", oflag::directory, kList).error == Errno::success);
  CHECK(guest.open("file", oflag::creat | oflag::trunc, kWrite).error == Errno::success);
  CHECK(world.read("root/file").empty());
  const std::string longest(255, 'n');
  CHECK(guest.open(longest, oflag::creat, kWrite).error == Errno::success);
  CHECK(world.has("root/" + longest));
  CHECK(guest.open(longest + "n", oflag::creat, kWrite).error == Errno::nametoolong);
  CHECK(guest.open(longest + "n/x").error == Errno::nametoolong);
  CHECK(guest.path_call("path_create_directory", longest + "n") == Errno::nametoolong);
  CHECK(guest.rename("file", longest + "n") == Errno::nametoolong);
}

TEST_CASE("files have holes and ends", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  const std::uint32_t fd = world.open("file", oflag::creat, right::kAll);
  const std::uint32_t out = guest.allocate(8);
  const std::uint32_t buffer = guest.allocate(64);
  const std::uint32_t text = guest.put("text");
  REQUIRE(guest.call("fd_pwrite", {fd, guest.iovs({{text, 4}}), 1, 100'000, out}) == Errno::success);
  CHECK(stat_of(guest, "file").size == 100'004);
  REQUIRE(guest.call("fd_pread", {fd, guest.iovs({{buffer, 10}}), 1, 99'996, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 8);
  CHECK(guest.text(buffer, 8) == std::string("\0\0\0\0text", 8));
  // What is cut off does not come back.
  REQUIRE(guest.call("fd_filestat_set_size", {fd, 100'002}) == Errno::success);
  REQUIRE(guest.call("fd_filestat_set_size", {fd, 100'010}) == Errno::success);
  REQUIRE(guest.call("fd_pread", {fd, guest.iovs({{buffer, 20}}), 1, 100'000, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 10);
  CHECK(guest.text(buffer, 10) == std::string("te\0\0\0\0\0\0\0\0", 10));
  REQUIRE(guest.call("fd_pread", {fd, guest.iovs({{buffer, 20}}), 1, 200'000, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 0);
  // Beyond the end and back.
  REQUIRE(guest.call("fd_seek", {fd, 5, static_cast<std::uint64_t>(Whence::end), out}) == Errno::success);
  CHECK(guest.read<std::uint64_t>(out) == 100'015);
  CHECK(guest.read_text(fd).empty());
  CHECK(guest.write_text(fd, "end") == Errno::success);
  CHECK(stat_of(guest, "file").size == 100'018);
  CHECK(guest.call("fd_seek", {fd, static_cast<std::uint64_t>(-1), 0, out}) == Errno::inval);
  REQUIRE(guest.call("fd_seek", {fd, static_cast<std::uint64_t>(-3), static_cast<std::uint64_t>(Whence::cur), out}) ==
          Errno::success);
  CHECK(guest.read_text(fd) == "end");
  REQUIRE(guest.call("fd_seek", {fd, 0, 0, out}) == Errno::success);
  // Two openings have two positions and one file.
  const std::uint32_t second = world.open("file", 0, kRead | kWrite);
  CHECK(guest.write_text(second, "begin") == Errno::success);
  CHECK(guest.read_text(fd, 7) == std::string("begin\0\0", 7));
  // Two that append do not overwrite each other.
  const std::uint32_t one = world.open("log", oflag::creat, kWrite, fdflag::append);
  const std::uint32_t two = world.open("log", 0, kWrite, fdflag::append);
  for (int i = 0; i < 3; ++i) {
    CHECK(guest.write_text(one, "a") == Errno::success);
    CHECK(guest.write_text(two, "b") == Errno::success);
  }
  CHECK(world.read("root/log") == "ababab");
}

TEST_CASE("times tell what happened", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  constexpr std::uint64_t kLongAgo = 1'000'000'000'000'000'000;
  world.make_directory("root/sub");
  world.write("root/sub/file", "text");
  const auto age = [&](std::string_view path) { REQUIRE(guest.set_times(path, kLongAgo) == Errno::success); };
  const std::uint32_t fd = world.open("sub/file", 0, kRead | kWrite);
  age("sub/file");
  CHECK(guest.read_text(fd) == "text");
  CHECK(stat_of(guest, "sub/file").mtim == kLongAgo);
  CHECK(guest.write_text(fd, "more") == Errno::success);
  CHECK(stat_of(guest, "sub/file").mtim > kLongAgo);
  age("sub/file");
  age("sub");
  REQUIRE(guest.hard_link("sub/file", "second") == Errno::success);
  CHECK(stat_of(guest, "sub/file").mtim == kLongAgo);
  CHECK(stat_of(guest, "sub").mtim == kLongAgo);
  REQUIRE(guest.path_call("path_unlink_file", "sub/file") == Errno::success);
  CHECK(stat_of(guest, "sub").mtim > kLongAgo);
  CHECK(stat_of(guest, "second").ctim > kLongAgo);
  age("sub");
  REQUIRE(guest.rename("second", "sub/file") == Errno::success);
  CHECK(stat_of(guest, "sub").mtim > kLongAgo);
  REQUIRE(guest.symlink("sub/file", "link") == Errno::success);
  age("link");
  CHECK(stat_of(guest, "link").mtim == kLongAgo);
  REQUIRE(guest.set_times("link", 5, lookupflag::symlink_follow) == Errno::success);
  CHECK(stat_of(guest, "sub/file").mtim == 5);
  CHECK(stat_of(guest, "link").mtim == kLongAgo);
  CHECK(guest.set_times("none", 5) == Errno::noent);
  CHECK(guest.set_times("sub/file/", 5) == Errno::notdir);
}

// The names of one call of fd_readdir, and the cookie behind the last.
std::vector<std::string> list(Guest& guest, std::uint32_t fd, std::uint32_t size, std::uint64_t& cookie) {
  const std::uint32_t buffer = guest.allocate(size);
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(guest.call("fd_readdir", {fd, buffer, size, cookie, out}) == Errno::success);
  const auto used = guest.read<std::uint32_t>(out);
  std::vector<std::string> names;
  for (std::uint32_t at = 0; at + sizeof(DirEnt) <= used;) {
    const auto entry = guest.read<DirEnt>(buffer + at);
    if (at + sizeof(DirEnt) + entry.name_length > used) break;
    names.push_back(guest.text(buffer + at + sizeof(DirEnt), entry.name_length));
    cookie = entry.next;
    at += static_cast<std::uint32_t>(sizeof(DirEnt)) + entry.name_length;
  }
  return names;
}

TEST_CASE("a listing goes on while entries come and go", "[directory]") {
  World world(backings());
  Guest& guest = world.guest;
  world.make_directory("root/sub");
  constexpr int kFiles = 100;
  for (int i = 0; i < kFiles; ++i) world.write("root/sub/old" + std::to_string(i), "");
  const std::uint32_t fd = world.open("sub", oflag::directory, kList);
  std::map<std::string, int> seen;
  std::uint64_t cookie = 0;
  for (int round = 0;; ++round) {
    REQUIRE(round < 1000);
    const auto names = list(guest, fd, 200, cookie);
    if (names.empty()) break;
    for (const std::string& name : names) {
      ++seen[name];
      // What was listed goes, and something else comes.
      if (name.starts_with("old") && name.ends_with('3')) {
        REQUIRE(guest.path_call("path_unlink_file", "sub/" + name) == Errno::success);
      }
    }
    const std::string added = "sub/new" + std::to_string(round);
    REQUIRE(guest.open(added, oflag::creat, kWrite).error == Errno::success);
  }
  for (int i = 0; i < kFiles; ++i) CHECK(seen["old" + std::to_string(i)] == 1);
  CHECK(seen["."] == 1);
  CHECK(seen[".."] == 1);
  for (const auto& [name, times] : seen) CHECK(times == 1);
}

TEST_CASE("renaming all that is listed comes to an end", "[directory]") {
  World world(Backing::memory);
  Guest& guest = world.guest;
  for (int i = 0; i < 50; ++i) world.write("root/f" + std::to_string(i), "");
  const std::uint32_t fd = world.open(".", oflag::directory, kList);
  std::uint64_t cookie = 0;
  int renamed = 0;
  while (true) {
    const auto names = list(guest, fd, 100, cookie);
    if (names.empty()) break;
    for (const std::string& name : names) {
      if (name.front() == '.') continue;
      REQUIRE(guest.rename(name, name + "x") == Errno::success);
      REQUIRE(++renamed <= 50);
    }
  }
  CHECK(renamed == 50);
}

}  // namespace
}  // namespace wasi::preview1
