// The fd_ functions: positions, sizes, directories read piece by piece, renumbering, limits.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "wasi/fd_table.h"
#include "world.h"

namespace wasi::preview1 {
namespace {

using test::Backing;
using test::Guest;
using test::kRoot;

struct World : test::World {
  explicit World(Backing backing = Backing::host) : test::World(backing) { write("root/file", "0123456789"); }
};

TEST_CASE("a position moves by reads, writes and seeks alone", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t fd = world.open("file");
  const std::uint32_t out = guest.allocate(8);
  const auto seek = [&](std::int64_t offset, Whence whence) {
    return guest.call("fd_seek", {fd, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(whence), out});
  };
  CHECK(guest.read_text(fd, 3) == "012");
  REQUIRE(guest.call("fd_tell", {fd, out}) == Errno::success);
  CHECK(guest.read<std::uint64_t>(out) == 3);
  REQUIRE(seek(-2, Whence::end) == Errno::success);
  CHECK(guest.read<std::uint64_t>(out) == 8);
  CHECK(guest.read_text(fd) == "89");
  CHECK(guest.read_text(fd).empty());
  CHECK(seek(-11, Whence::end) == Errno::inval);
  CHECK(guest.call("fd_seek", {fd, 0, 3, out}) == Errno::inval);
  const std::uint32_t buffer = guest.allocate(8);
  const std::uint32_t buffers = guest.iovs({{buffer, 2}, {buffer + 2, 0}, {buffer + 2, 3}});
  REQUIRE(guest.call("fd_pread", {fd, buffers, 3, 4, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 5);
  CHECK(guest.text(buffer, 5) == "45678");
  CHECK(guest.call("fd_pread", {fd, buffers, 3, UINT64_MAX, out}) == Errno::inval);
  REQUIRE(guest.call("fd_pwrite", {fd, buffers, 3, 0, out}) == Errno::success);
  CHECK(world.read("root/file") == "4567856789");
  REQUIRE(guest.call("fd_tell", {fd, out}) == Errno::success);
  CHECK(guest.read<std::uint64_t>(out) == 10);
  // No buffers at all.
  REQUIRE(guest.call("fd_read", {fd, 0, 0, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 0);
  REQUIRE(guest.call("fd_write", {fd, 0, 0, out}) == Errno::success);
}

TEST_CASE("more buffers than the host takes at once are a short transfer", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t fd = world.open("file");
  const std::uint32_t out = guest.allocate(4);
  const std::uint32_t text = guest.put("x");
  const std::uint32_t buffers = guest.allocate(2000 * 8);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    guest.write(buffers + i * 8, text);
    guest.write(buffers + i * 8 + 4, std::uint32_t{1});
  }
  REQUIRE(guest.call("fd_write", {fd, buffers, 2000, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 1024);
}

TEST_CASE("sizes are set and storage is asked for", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t fd = world.open("file");
  REQUIRE(guest.call("fd_filestat_set_size", {fd, 4}) == Errno::success);
  CHECK(world.read("root/file") == "0123");
  CHECK(guest.call("fd_filestat_set_size", {fd, UINT64_MAX}) == Errno::fbig);
  const Errno allocated = guest.call("fd_allocate", {fd, 2, 6});
  if (allocated == Errno::success) {
    CHECK(world.read("root/file").size() == 8);
  } else {
    CHECK(allocated == Errno::notsup);
  }
  CHECK(guest.call("fd_allocate", {fd, UINT64_MAX, 2}) == Errno::fbig);
  CHECK(guest.call("fd_advise", {fd, 0, 100, 5}) == Errno::success);
  CHECK(guest.call("fd_advise", {fd, 0, 100, 6}) == Errno::inval);
  CHECK(guest.call("fd_advise", {fd, UINT64_MAX, 1, 0}) == Errno::inval);
  CHECK(guest.call("fd_sync", {fd}) == Errno::success);
  CHECK(guest.call("fd_datasync", {fd}) == Errno::success);
  CHECK(guest.call("fd_filestat_set_times", {fd, 0, 42, fstflag::mtim}) == Errno::success);
  const std::uint32_t out = guest.allocate(sizeof(FileStat));
  REQUIRE(guest.call("fd_filestat_get", {fd, out}) == Errno::success);
  CHECK(guest.read<FileStat>(out).mtim == 42);
  CHECK(guest.call("fd_filestat_set_times", {fd, 0, 0, fstflag::atim | fstflag::atim_now}) == Errno::inval);
}

TEST_CASE("append can be turned on and off, sync cannot", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t fd = world.open("file", oflag::trunc, right::kAll, fdflag::append);
  const std::uint32_t out = guest.allocate(8);
  CHECK(guest.fdstat(fd).flags == fdflag::append);
  guest.write_text(fd, "ab");
  REQUIRE(guest.call("fd_seek", {fd, 0, 0, out}) == Errno::success);
  guest.write_text(fd, "cd");
  CHECK(world.read("root/file") == "abcd");
  REQUIRE(guest.call("fd_fdstat_set_flags", {fd, 0}) == Errno::success);
  REQUIRE(guest.call("fd_seek", {fd, 0, 0, out}) == Errno::success);
  guest.write_text(fd, "X");
  CHECK(world.read("root/file") == "Xbcd");
  CHECK(guest.call("fd_fdstat_set_flags", {fd, fdflag::sync}) == Errno::notsup);
  CHECK(guest.call("fd_fdstat_set_flags", {fd, 32}) == Errno::inval);
}

TEST_CASE("file operations on a directory are EISDIR, directory operations on a file ENOTDIR", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t out = guest.allocate(8);
  CHECK(guest.read_text(kRoot) == "EISDIR");
  CHECK(guest.write_text(kRoot, "x") == Errno::isdir);
  CHECK(guest.call("fd_seek", {kRoot, 0, 0, out}) == Errno::isdir);
  CHECK(guest.call("fd_tell", {kRoot, out}) == Errno::isdir);
  CHECK(guest.call("fd_filestat_set_size", {kRoot, 0}) == Errno::isdir);
  const std::uint32_t fd = world.open("file");
  CHECK(guest.call("fd_readdir", {fd, out, 8, 0, out}) == Errno::notdir);
  CHECK(guest.open("x", oflag::creat, right::kAll, fd).error == Errno::notdir);
  CHECK(guest.open(".", oflag::directory, right::fd_read | right::fd_write).error == Errno::isdir);
}

// All entries, read through a buffer of `size` bytes, by name.
std::map<std::string, DirEnt> list(Guest& guest, std::uint32_t fd, std::uint32_t size, std::uint64_t cookie = 0) {
  std::map<std::string, DirEnt> found;
  const std::uint32_t buffer = guest.allocate(size);
  const std::uint32_t out = guest.allocate(4);
  while (true) {
    REQUIRE(guest.call("fd_readdir", {fd, buffer, size, cookie, out}) == Errno::success);
    const auto used = guest.read<std::uint32_t>(out);
    REQUIRE(used <= size);
    std::uint32_t at = 0;
    while (at + sizeof(DirEnt) <= used) {
      const auto entry = guest.read<DirEnt>(buffer + at);
      if (at + sizeof(DirEnt) + entry.name_length > used) break;
      CHECK(found.emplace(guest.text(buffer + at + sizeof(DirEnt), entry.name_length), entry).second);
      cookie = entry.next;
      at += sizeof(DirEnt) + entry.name_length;
    }
    if (used < size) return found;
  }
}

TEST_CASE("a directory is read piece by piece, each entry once", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  world.make_directory("root/many/directory");
  world.link("nowhere", "root/many/link");
  for (int i = 0; i < 200; ++i) world.write("root/many/file" + std::to_string(i), "");
  const std::uint32_t fd = world.open("many", oflag::directory, right::kAll & ~right::fd_write);
  for (const std::uint32_t size : {64U, 100U, 4096U, 30000U}) {
    INFO(size);
    const auto entries = list(guest, fd, size);
    CHECK(entries.size() == 204);
    CHECK(entries.at(".").type == FileType::directory);
    CHECK(entries.at("..").type == FileType::directory);
    CHECK(entries.at("directory").type == FileType::directory);
    CHECK(entries.at("link").type == FileType::symbolic_link);
    CHECK(entries.at("file7").type == FileType::regular_file);
    FileStat stat;
    REQUIRE(guest.stat("many/file7", stat) == Errno::success);
    CHECK(entries.at("file7").ino == stat.ino);
  }
  // From any entry's cookie on, it goes on behind that entry.
  const auto all = list(guest, fd, 30000);
  const auto rest = list(guest, fd, 30000, all.at("file7").next);
  CHECK(rest.size() < all.size());
  CHECK_FALSE(rest.contains("file7"));
  const std::uint32_t out = guest.allocate(16);
  CHECK(guest.call("fd_readdir", {fd, out, 8, UINT64_MAX, out + 8}) == Errno::inval);
  REQUIRE(guest.call("fd_readdir", {fd, out, 0, 0, out + 8}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out + 8) == 0);
}

TEST_CASE("a descriptor is renumbered over another, which is closed", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  world.write("root/other", "other");
  const std::uint32_t first = world.open("file");
  const std::uint32_t second = world.open("other");
  REQUIRE(guest.call("fd_renumber", {first, second}) == Errno::success);
  CHECK(guest.read_text(second) == "0123456789");
  CHECK(guest.read_text(first) == "EBADF");
  CHECK(guest.call("fd_renumber", {second, first}) == Errno::badf);
  CHECK(guest.call("fd_renumber", {first, second}) == Errno::badf);
  CHECK(guest.call("fd_renumber", {second, second}) == Errno::success);
  CHECK(guest.call("fd_renumber", {second, 0xFFFF'FFFF}) == Errno::badf);
  CHECK(guest.call("fd_renumber", {0xFFFF'FFFF, second}) == Errno::badf);
  CHECK(guest.read_text(second).empty());
  // Over a preopen, which is none any more.
  REQUIRE(guest.call("fd_renumber", {second, kRoot}) == Errno::success);
  CHECK(guest.call("fd_prestat_get", {kRoot, guest.allocate(8)}) == Errno::badf);
  // Numbers that became free are used again.
  CHECK(guest.call("fd_close", {1}) == Errno::success);
}

TEST_CASE("the lowest free number is given, as programs expect", "[fd]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t a = world.open("file");
  const std::uint32_t b = world.open("file");
  const std::uint32_t c = world.open("file");
  CHECK(std::set{a, b, c} == std::set<std::uint32_t>{4, 5, 6});
  REQUIRE(guest.call("fd_close", {b}) == Errno::success);
  REQUIRE(guest.call("fd_close", {a}) == Errno::success);
  CHECK(world.open("file") == a);
  CHECK(world.open("file") == b);
  CHECK(world.open("file") == 7);
}

TEST_CASE("a table of descriptors is full at its limit", "[fd]") {
  constexpr std::size_t kMost = 1000;
  FdTable table(kMost);
  for (std::size_t i = 0; i < kMost; ++i) REQUIRE(table.insert(Descriptor{}) == i);
  CHECK(table.is_full());
  CHECK_FALSE(table.insert(Descriptor{}));
  (void)table.take(77);
  CHECK(table.insert(Descriptor{}) == 77);
}

TEST_CASE("when the host runs out of descriptors the guest hears EMFILE", "[fd]") {
  World world;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few = before;
  few.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  Errno last = Errno::success;
  int opened = 0;
  while (last == Errno::success && opened < 100) {
    last = world.guest.open("file").error;
    ++opened;
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(last == Errno::mfile);
}

TEST_CASE("descriptors that are not open are EBADF everywhere", "[fd]") {
  World world;
  Guest& guest = world.guest;
  const std::uint32_t out = guest.allocate(64);
  for (const std::uint64_t fd : {4ULL, 100ULL, 0x7FFF'FFFFULL, 0xFFFF'FFFFULL}) {
    INFO(fd);
    CHECK(guest.call("fd_close", {fd}) == Errno::badf);
    CHECK(guest.call("fd_sync", {fd}) == Errno::badf);
    CHECK(guest.call("fd_fdstat_get", {fd, out}) == Errno::badf);
    CHECK(guest.call("fd_read", {fd, out, 0, out}) == Errno::badf);
    CHECK(guest.call("fd_readdir", {fd, out, 8, 0, out}) == Errno::badf);
    CHECK(guest.call("fd_prestat_get", {fd, out}) == Errno::badf);
    CHECK(guest.open("x", 0, 0, static_cast<std::uint32_t>(fd)).error == Errno::badf);
  }
}

}  // namespace
}  // namespace wasi::preview1
