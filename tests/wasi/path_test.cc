// The path_ functions: nothing outside of a preopen, nothing written beneath a read-only one, errors of POSIX.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "world.h"

namespace wasi::preview1 {
namespace {

using test::Backing;
using test::Guest;
using test::kRoot;

constexpr Rights kRead = right::fd_read | right::fd_seek | right::fd_tell | right::fd_readdir;
constexpr Rights kWrite = right::fd_write | right::fd_seek | right::fd_tell;

// With some files in root/, and outside/ beside it.
struct World : test::World {
  explicit World(Backing backing = Backing::host, Access access = Access::read_write) : test::World(backing, access) {
    make_directory("root/sub");
    make_directory("outside/empty");
    write("root/file", "file");
    write("root/sub/file", "sub/file");
    write("outside/secret", "secret");
  }
};

TEST_CASE("no path function leaves its directory", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  world.link("../outside", "root/out");
  world.link("../outside/", "root/out_slash");
  world.link("out/", "root/twice");
  world.link("..", "root/up");
  FileStat stat;
  for (const char* prefix : {"../outside", "sub/../../outside", "out", "out/.", "out_slash", "twice", "up/outside",
                             "sub/../out", "./up/./outside"}) {
    const auto path = [&](const char* name) { return std::string(prefix) + "/" + name; };
    INFO(prefix);
    CHECK(guest.open(path("secret")).error == Errno::notcapable);
    CHECK(guest.open(path("secret"), 0, kRead, kRoot, 0).error == Errno::notcapable);
    CHECK(guest.open(path("new"), oflag::creat, kWrite).error == Errno::notcapable);
    CHECK(guest.open(path("secret"), oflag::trunc, kWrite).error == Errno::notcapable);
    CHECK(guest.open(path(""), oflag::directory, kRead).error == Errno::notcapable);
    CHECK(guest.stat(path("secret"), stat) == Errno::notcapable);
    CHECK(guest.stat(path("secret"), stat, lookupflag::symlink_follow) == Errno::notcapable);
    CHECK(guest.set_times(path("secret"), 0) == Errno::notcapable);
    CHECK(guest.path_call("path_create_directory", path("new")) == Errno::notcapable);
    CHECK(guest.path_call("path_remove_directory", path("empty")) == Errno::notcapable);
    CHECK(guest.path_call("path_unlink_file", path("secret")) == Errno::notcapable);
    CHECK(guest.rename(path("secret"), "taken") == Errno::notcapable);
    CHECK(guest.rename("file", path("planted")) == Errno::notcapable);
    CHECK(guest.hard_link(path("secret"), "taken") == Errno::notcapable);
    CHECK(guest.hard_link("file", path("planted")) == Errno::notcapable);
    CHECK(guest.symlink("x", path("planted")) == Errno::notcapable);
    const std::uint32_t out = guest.allocate(64);
    const std::string link = path("link");
    CHECK(guest.call("path_readlink", {kRoot, guest.put(link), link.size(), out, 32, out + 32}) == Errno::notcapable);
  }
  for (const char* path : {"/", "/etc/passwd", "//", "..", "../", "sub/../.."}) {
    INFO(path);
    CHECK(guest.open(path).error == Errno::notcapable);
    CHECK(guest.stat(path, stat) == Errno::notcapable);
    CHECK(guest.path_call("path_unlink_file", path) == Errno::notcapable);
    CHECK(guest.path_call("path_remove_directory", path) == Errno::notcapable);
    CHECK(guest.rename("file", path) == Errno::notcapable);
  }
  // The links themselves: a slash must not make the host follow them.
  for (const char* path : {"out/", "up/", "twice/", "out_slash//"}) {
    INFO(path);
    CHECK(guest.open(path, oflag::directory).error == Errno::notcapable);
    CHECK(guest.open(path, 0, kRead, kRoot, 0).error == Errno::notcapable);
    CHECK(guest.stat(path, stat) == Errno::notcapable);
    CHECK(guest.set_times(path, 0) == Errno::notcapable);
    CHECK(guest.path_call("path_unlink_file", path) == Errno::notdir);
    CHECK(guest.path_call("path_remove_directory", path) == Errno::notdir);
    CHECK(guest.rename(path, "moved") == Errno::notdir);
    CHECK(guest.rename("sub", path) == Errno::notdir);
    CHECK(guest.path_call("path_create_directory", path) == Errno::exist);
    CHECK(guest.symlink("x", path) == Errno::notdir);
    CHECK(guest.hard_link("file", path) == Errno::notdir);
    CHECK(guest.hard_link(path, "moved") == Errno::notcapable);
  }
  CHECK(world.read("outside/secret") == "secret");
  CHECK(world.read("root/file") == "file");
  CHECK_FALSE(world.has("root/taken"));
  CHECK_FALSE(world.has("outside/planted"));
  CHECK_FALSE(world.has("outside/new"));
  CHECK(world.has("outside/empty"));
}

TEST_CASE("a link that a guest makes leads it nowhere", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  FileStat stat;
  CHECK(guest.symlink("/etc/passwd", "absolute") == Errno::notcapable);
  CHECK(guest.symlink("/", "absolute") == Errno::notcapable);
  CHECK_FALSE(world.has("root/absolute"));
  // A relative one may be made, since where it leads depends on where it stands; following it is what is refused.
  REQUIRE(guest.symlink("../outside/secret", "link") == Errno::success);
  REQUIRE(guest.symlink("../..", "sub/up") == Errno::success);
  REQUIRE(guest.symlink("sub/up/outside/", "far") == Errno::success);
  REQUIRE(guest.symlink("../outside/planted", "plant") == Errno::success);
  for (const char* path : {"link", "sub/up", "far", "sub/up/outside/secret", "far/secret", "far/"}) {
    INFO(path);
    CHECK(guest.open(path).error == Errno::notcapable);
    CHECK(guest.stat(path, stat, lookupflag::symlink_follow) == Errno::notcapable);
    CHECK(guest.hard_link(path, "taken", kRoot, kRoot, lookupflag::symlink_follow) == Errno::notcapable);
  }
  CHECK(guest.open("plant", oflag::creat, kWrite).error == Errno::notcapable);
  CHECK(guest.open("plant", oflag::creat, kWrite, kRoot, 0).error == Errno::loop);
  CHECK_FALSE(world.has("outside/planted"));
  // Moving the link or its directory does not open it either.
  REQUIRE(guest.path_call("path_create_directory", "sub/deep") == Errno::success);
  REQUIRE(guest.rename("sub/up", "sub/deep/up") == Errno::success);
  CHECK(guest.open("sub/deep/up/file", 0, kRead).error == Errno::success);
  REQUIRE(guest.rename("sub/deep", "deep") == Errno::success);
  CHECK(guest.open("deep/up/outside/secret", 0, kRead).error == Errno::notcapable);
}

TEST_CASE("nothing changes beneath a read-only directory", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory), Access::read_only);
  Guest& guest = world.guest;
  const std::uint32_t directory = [&] {
    const auto sub = guest.open("sub", oflag::directory);
    REQUIRE(sub.error == Errno::success);
    return sub.fd;
  }();
  for (const std::uint32_t fd : {kRoot, directory}) {
    INFO(fd);
    CHECK(guest.open("file", 0, kRead, fd).error == Errno::success);
    CHECK(guest.open("file", 0, kWrite, fd).error == Errno::rofs);
    CHECK(guest.open("file", 0, kRead | kWrite, fd).error == Errno::rofs);
    CHECK(guest.open("file", oflag::trunc, kRead, fd).error == Errno::rofs);
    CHECK(guest.open("new", oflag::creat, kRead, fd).error == Errno::rofs);
    CHECK(guest.path_call("path_create_directory", "new", fd) == Errno::rofs);
    CHECK(guest.path_call("path_remove_directory", "sub", fd) == Errno::rofs);
    CHECK(guest.path_call("path_unlink_file", "file", fd) == Errno::rofs);
    CHECK(guest.rename("file", "new", fd, fd) == Errno::rofs);
    CHECK(guest.hard_link("file", "new", fd, fd) == Errno::rofs);
    CHECK(guest.symlink("file", "new", fd) == Errno::rofs);
    CHECK(guest.set_times("file", 0, 0, fd) == Errno::rofs);
  }
  const auto file = guest.open("file", 0, right::kAll & ~right::fd_write);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.read_text(file.fd) == "file");
  CHECK(guest.write_text(file.fd, "x") == Errno::badf);
  CHECK(guest.call("fd_filestat_set_size", {file.fd, 0}) == Errno::badf);
  CHECK(guest.call("fd_allocate", {file.fd, 0, 100}) == Errno::badf);
  CHECK(guest.call("fd_filestat_set_times", {file.fd, 0, 0, fstflag::mtim}) == Errno::rofs);
  CHECK(guest.call("fd_filestat_set_times", {directory, 0, 0, fstflag::mtim}) == Errno::rofs);
  CHECK(world.read("root/file") == "file");
  CHECK_FALSE(world.has("root/new"));
}

TEST_CASE("a file of a read-only directory does not get into a writable one", "[path]") {
  const wasi::test::TempDir dir;
  dir.make_directory("ro/sub");
  dir.make_directory("rw");
  dir.write("ro/file", "precious");
  Config config;
  config.preopens = {{(dir / "ro").string(), "/ro", Access::read_only},
                     {(dir / "rw").string(), "/rw", Access::read_write}};
  Guest guest(config);
  const auto reopened = guest.open("sub/..", oflag::directory, right::kAll & ~right::fd_write, 3);
  REQUIRE(reopened.error == Errno::success);
  for (const std::uint32_t from : {3U, reopened.fd}) {
    CHECK(guest.hard_link("file", "stolen", from, 4) == Errno::rofs);
    CHECK(guest.rename("file", "stolen", from, 4) == Errno::rofs);
  }
  REQUIRE(guest.open("mine", oflag::creat, kWrite, 4).error == Errno::success);
  CHECK(guest.hard_link("mine", "planted", 4, 3) == Errno::rofs);
  CHECK(guest.rename("mine", "planted", 4, 3) == Errno::rofs);
  CHECK_FALSE(dir.has("rw/stolen"));
  CHECK(dir.read("ro/file") == "precious");
}

TEST_CASE("paths are UTF-8 without NUL and not too long", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  FileStat stat;
  for (const std::string_view path : {"\xFF", "sub/\xC0\xAF", "\xED\xA0\x80", "a\xE2\x82"}) {
    CHECK(guest.open(path).error == Errno::ilseq);
    CHECK(guest.stat(path, stat) == Errno::ilseq);
    CHECK(guest.path_call("path_create_directory", path) == Errno::ilseq);
  }
  CHECK(guest.open(std::string_view("file\0", 5)).error == Errno::inval);
  CHECK(guest.open(std::string_view("\0", 1)).error == Errno::inval);
  CHECK(guest.open("").error == Errno::noent);
  CHECK(guest.open(std::string(5000, 'a')).error == Errno::nametoolong);
  CHECK(guest.open(std::string(300, 'a')).error == Errno::nametoolong);
  CHECK(guest.path_call("path_create_directory", "gr\xC3\xBC\xC3\x9F") == Errno::success);
  CHECK(world.has("root/gr\xC3\xBC\xC3\x9F"));
}

TEST_CASE("flags that do not exist or contradict each other are EINVAL", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  FileStat stat;
  CHECK(guest.open("file", 16).error == Errno::inval);
  CHECK(guest.open("new", oflag::creat | oflag::directory).error == Errno::inval);
  CHECK(guest.open("file", 0, kRead, kRoot, 2).error == Errno::inval);
  CHECK(guest.open("file", 0, kRead, kRoot, 0, 32).error == Errno::inval);
  CHECK(guest.stat("file", stat, 2) == Errno::inval);
  const std::uint32_t path = guest.put("file");
  CHECK(guest.call("path_filestat_set_times", {kRoot, 0, path, 4, 0, 0, fstflag::mtim | fstflag::mtim_now}) ==
        Errno::inval);
  CHECK(guest.call("path_filestat_set_times", {kRoot, 0, path, 4, 0, 0, 16}) == Errno::inval);
  CHECK_FALSE(world.has("root/new"));
}

TEST_CASE("rights that a program gives up stay away, also from what is opened beneath", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  const Rights only = right::path_open | right::fd_readdir;
  const auto narrow = guest.open("sub", oflag::directory, right::kAll & ~right::fd_write);
  REQUIRE(narrow.error == Errno::success);
  REQUIRE(guest.call("fd_fdstat_set_rights", {narrow.fd, only, right::fd_read | only}) == Errno::success);
  CHECK(guest.fdstat(narrow.fd).rights_base == only);
  CHECK(guest.fdstat(narrow.fd).rights_inheriting == (right::fd_read | only));
  const auto file = guest.open("file", 0, right::kAll, narrow.fd);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.fdstat(file.fd).rights_base == right::fd_read);
  CHECK(guest.read_text(file.fd) == "sub/file");
  CHECK(guest.write_text(file.fd, "x") == Errno::badf);
  const std::uint32_t out = guest.allocate(8);
  CHECK(guest.call("fd_seek", {file.fd, 0, 0, out}) == Errno::notcapable);
  CHECK(guest.call("fd_tell", {file.fd, out}) == Errno::notcapable);
  CHECK(guest.call("fd_filestat_set_times", {file.fd, 0, 1, fstflag::mtim}) == Errno::notcapable);
  // Also through itself, whatever is asked for and handed on.
  const auto inner = guest.open(".", oflag::directory, right::kAll, narrow.fd);
  REQUIRE(inner.error == Errno::success);
  const auto silent = guest.open(".", oflag::directory, 0, narrow.fd, 0, 0, 0);
  REQUIRE(silent.error == Errno::success);
  const auto further = guest.open(".", oflag::directory, 0, silent.fd, 0, 0, 0);
  REQUIRE(further.error == Errno::success);
  FileStat stat;
  for (const std::uint32_t fd : {narrow.fd, inner.fd, silent.fd, further.fd}) {
    INFO(fd);
    CHECK(guest.open("new", oflag::creat, right::fd_read, fd).error == Errno::notcapable);
    CHECK(guest.open("file", oflag::trunc, right::fd_read, fd).error == Errno::notcapable);
    CHECK(guest.path_call("path_unlink_file", "file", fd) == Errno::notcapable);
    CHECK(guest.path_call("path_create_directory", "new", fd) == Errno::notcapable);
    CHECK(guest.rename("file", "new", fd, fd) == Errno::notcapable);
    CHECK(guest.hard_link("file", "new", fd, fd) == Errno::notcapable);
    CHECK(guest.stat("file", stat, 0, fd) == Errno::notcapable);
    const auto opened = guest.open("file", 0, right::fd_write, fd);
    REQUIRE(opened.error == Errno::success);
    CHECK(guest.write_text(opened.fd, "x") == Errno::badf);
    CHECK(guest.call("fd_filestat_set_size", {opened.fd, 0}) == Errno::badf);
  }
  CHECK(world.read("root/sub/file") == "sub/file");

  CHECK(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read | right::fd_write, 0}) == Errno::notcapable);
  CHECK(guest.call("fd_fdstat_set_rights", {narrow.fd, only, right::fd_read | right::fd_write}) == Errno::notcapable);
  REQUIRE(guest.call("fd_fdstat_set_rights", {file.fd, 0, 0}) == Errno::success);
  CHECK(guest.read_text(file.fd) == "EBADF");
  CHECK(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read, 0}) == Errno::notcapable);
  // Programs ask for attributes without having asked for the right to.
  CHECK(guest.call("fd_filestat_get", {file.fd, guest.allocate(64)}) == Errno::success);
  // What a descriptor may do without having asked for it goes with the rest.
  const auto quiet = guest.open("sub", oflag::directory, 0, kRoot, 0, 0, 0);
  REQUIRE(guest.call("fd_fdstat_set_rights", {quiet.fd, 0, 0}) == Errno::success);
  CHECK(guest.open("file", 0, right::fd_read, quiet.fd).error == Errno::notcapable);
  CHECK(guest.path_call("path_unlink_file", "file", quiet.fd) == Errno::notcapable);
}

TEST_CASE("a directory that was opened without a right can be used for it", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  // As Go's os.Root does: all but fd_datasync, fd_write, fd_allocate, path_filestat_set_size, sock_shutdown and
  // sock_accept, and then a file below it is created and truncated.
  constexpr Rights kOfGo = 0xFF7'FEBE;
  constexpr Rights kAllOfGo = 0xFFF'FFFF;
  const auto root = guest.open(".", oflag::directory, kOfGo, kRoot, lookupflag::symlink_follow, 0, kAllOfGo);
  REQUIRE(root.error == Errno::success);
  const auto made = guest.open("made_below", oflag::creat | oflag::trunc, kAllOfGo, root.fd, 0, 0, kAllOfGo);
  REQUIRE(made.error == Errno::success);
  CHECK(guest.write_text(made.fd, "text") == Errno::success);
  CHECK(world.read("root/made_below") == "text");
  // With no rights at all, to have and to hand on, through another such directory.
  const auto outer = guest.open(".", oflag::directory, 0, kRoot, 0, 0, 0);
  REQUIRE(outer.error == Errno::success);
  const auto sub = guest.open("sub", oflag::directory, 0, outer.fd, 0, 0, 0);
  REQUIRE(sub.error == Errno::success);
  // They are not told, as nobody asked for them.
  CHECK(guest.fdstat(sub.fd).rights_base == 0);
  CHECK(guest.fdstat(sub.fd).rights_inheriting == 0);
  const std::uint32_t out = guest.allocate(512);
  FileStat stat;
  CHECK(guest.stat("file", stat, 0, sub.fd) == Errno::success);
  CHECK(guest.set_times("file", 5, 0, sub.fd) == Errno::success);
  CHECK(guest.call("fd_readdir", {sub.fd, out, 256, 0, out + 256}) == Errno::success);
  CHECK(guest.call("fd_sync", {sub.fd}) == Errno::success);
  CHECK(guest.call("fd_filestat_set_times", {sub.fd, 0, 5, fstflag::mtim}) == Errno::success);
  CHECK(guest.path_call("path_create_directory", "made", sub.fd) == Errno::success);
  CHECK(guest.path_call("path_remove_directory", "made", sub.fd) == Errno::success);
  CHECK(guest.symlink("file", "link", sub.fd) == Errno::success);
  CHECK(guest.call("path_readlink", {sub.fd, guest.put("link"), 4, out, 32, out + 32}) == Errno::success);
  CHECK(guest.hard_link("file", "hard", sub.fd, sub.fd) == Errno::success);
  CHECK(guest.rename("hard", "renamed", sub.fd, sub.fd) == Errno::success);
  CHECK(guest.path_call("path_unlink_file", "renamed", sub.fd) == Errno::success);
  const auto file = guest.open("new", oflag::creat | oflag::excl, kWrite, sub.fd);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.write_text(file.fd, "new") == Errno::success);
  CHECK(world.read("root/sub/new") == "new");
}

TEST_CASE("rights that were not asked for reach nothing that the preopen does not allow", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory), Access::read_only);
  Guest& guest = world.guest;
  const auto outer = guest.open(".", oflag::directory, 0, kRoot, 0, 0, 0);
  REQUIRE(outer.error == Errno::success);
  const auto sub = guest.open("sub", oflag::directory, 0, outer.fd, 0, 0, 0);
  REQUIRE(sub.error == Errno::success);
  CHECK(guest.open("new", oflag::creat, 0, sub.fd).error == Errno::rofs);
  CHECK(guest.open("file", oflag::trunc, 0, sub.fd).error == Errno::rofs);
  CHECK(guest.open("file", 0, right::fd_write, sub.fd).error == Errno::rofs);
  CHECK(guest.path_call("path_create_directory", "new", sub.fd) == Errno::rofs);
  CHECK(guest.path_call("path_unlink_file", "file", sub.fd) == Errno::rofs);
  CHECK(guest.rename("file", "new", sub.fd, sub.fd) == Errno::rofs);
  CHECK(guest.hard_link("file", "new", sub.fd, sub.fd) == Errno::rofs);
  CHECK(guest.symlink("file", "new", sub.fd) == Errno::rofs);
  CHECK(guest.set_times("file", 5, 0, sub.fd) == Errno::rofs);
  CHECK(guest.call("fd_filestat_set_times", {sub.fd, 0, 5, fstflag::mtim}) == Errno::rofs);
  CHECK(guest.open("../../outside/secret", 0, 0, sub.fd).error == Errno::notcapable);
  const auto file = guest.open("file", 0, 0, sub.fd);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.read_text(file.fd) == "sub/file");
  CHECK(guest.write_text(file.fd, "x") == Errno::badf);
  CHECK(guest.call("fd_filestat_set_size", {file.fd, 0}) == Errno::badf);
  CHECK(guest.call("fd_allocate", {file.fd, 0, 100}) == Errno::badf);
  CHECK(guest.call("fd_filestat_set_times", {file.fd, 0, 5, fstflag::mtim}) == Errno::rofs);
  CHECK(world.read("root/sub/file") == "sub/file");
}

TEST_CASE("a file that was opened with no rights at all can be read", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  const auto file = guest.open("file", 0, 0, kRoot, 0, 0, 0);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.fdstat(file.fd).rights_base == 0);
  CHECK(guest.read_text(file.fd) == "file");
  const std::uint32_t out = guest.allocate(64);
  const std::uint32_t buffer = guest.iovs({{guest.allocate(8), 8}});
  CHECK(guest.call("fd_pread", {file.fd, buffer, 1, 1, out}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out) == 3);
  Subscription subscription{};
  subscription.type = EventType::fd_read;
  subscription.clock_or_fd = file.fd;
  const std::uint32_t place = guest.allocate(sizeof(subscription));
  guest.write(place, subscription);
  const std::uint32_t event = guest.allocate(sizeof(Event));
  REQUIRE(guest.call("poll_oneoff", {place, event, 1, out}) == Errno::success);
  CHECK(guest.read<Event>(event).error == Errno::success);
  CHECK(guest.write_text(file.fd, "x") == Errno::badf);
  CHECK(guest.call("fd_filestat_set_size", {file.fd, 0}) == Errno::badf);
  // Created or emptied, too.
  const auto made = guest.open("made", oflag::creat | oflag::trunc, 0, kRoot, 0, 0, 0);
  REQUIRE(made.error == Errno::success);
  CHECK(guest.read_text(made.fd).empty());
  CHECK(guest.write_text(made.fd, "x") == Errno::badf);
  CHECK(world.read("root/file") == "file");
}

TEST_CASE("what the preopen allows need not be asked for", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  const std::uint32_t out = guest.allocate(64);
  const auto try_all = [&](std::uint32_t fd) {
    return std::vector<Errno>{
        guest.call("fd_seek", {fd, 0, 0, out}),   guest.call("fd_tell", {fd, out}),
        guest.call("fd_advise", {fd, 0, 0, 0}),   guest.call("fd_sync", {fd}),
        guest.call("fd_datasync", {fd}),          guest.call("fd_fdstat_set_flags", {fd, 0}),
        guest.call("fd_filestat_get", {fd, out}), guest.call("fd_filestat_set_times", {fd, 0, 1, fstflag::mtim})};
  };
  const std::vector<Errno> all_work(8, Errno::success);
  const auto reader = guest.open("file", 0, right::fd_read, kRoot, 0, 0, 0);
  CHECK(guest.fdstat(reader.fd).rights_base == right::fd_read);
  CHECK(try_all(reader.fd) == all_work);
  // Contents change only where the file was opened for writing.
  CHECK(guest.call("fd_filestat_set_size", {reader.fd, 3}) == Errno::badf);
  CHECK(guest.call("fd_allocate", {reader.fd, 0, 1}) == Errno::badf);
  const auto writer = guest.open("file", 0, right::fd_write, kRoot, 0, 0, 0);
  CHECK(guest.fdstat(writer.fd).rights_base == right::fd_write);
  CHECK(try_all(writer.fd) == all_work);
  CHECK(guest.call("fd_filestat_set_size", {writer.fd, 3}) == Errno::success);
  const Errno allocated = guest.call("fd_allocate", {writer.fd, 0, 1});
  CHECK((allocated == Errno::success || allocated == Errno::notsup));
  CHECK(guest.read_text(writer.fd) == "EBADF");
  // Who speaks of rights gets what the interface says.
  REQUIRE(guest.call("fd_fdstat_set_rights", {reader.fd, right::fd_read, 0}) == Errno::success);
  CHECK(guest.call("fd_seek", {reader.fd, 0, 0, out}) == Errno::notcapable);
  CHECK(guest.call("fd_sync", {reader.fd}) == Errno::notcapable);
  CHECK(guest.read_text(reader.fd) != "EBADF");
  REQUIRE(guest.call("fd_fdstat_set_rights", {writer.fd, right::fd_write, 0}) == Errno::success);
  CHECK(guest.call("fd_filestat_set_size", {writer.fd, 3}) == Errno::badf);
}

TEST_CASE("files are made, linked, renamed and removed", "[path]") {
  World world(GENERATE(Backing::host, Backing::host_walk, Backing::memory));
  Guest& guest = world.guest;
  FileStat stat;
  REQUIRE(guest.path_call("path_create_directory", "new/") == Errno::success);
  CHECK(guest.path_call("path_create_directory", "new") == Errno::exist);
  const auto file = guest.open("new/file", oflag::creat | oflag::excl, kWrite);
  REQUIRE(file.error == Errno::success);
  CHECK(guest.write_text(file.fd, "text") == Errno::success);
  CHECK(guest.open("new/file", oflag::creat | oflag::excl, kWrite).error == Errno::exist);
  REQUIRE(guest.hard_link("new/file", "hard") == Errno::success);
  REQUIRE(guest.stat("hard", stat) == Errno::success);
  CHECK(stat.nlink == 2);
  CHECK(stat.size == 4);
  CHECK(stat.type == FileType::regular_file);
  REQUIRE(guest.symlink("new/file", "soft") == Errno::success);
  REQUIRE(guest.stat("soft", stat) == Errno::success);
  CHECK(stat.type == FileType::symbolic_link);
  REQUIRE(guest.stat("soft", stat, lookupflag::symlink_follow) == Errno::success);
  CHECK(stat.type == FileType::regular_file);
  CHECK(guest.stat("soft/", stat) == Errno::notdir);
  CHECK(guest.stat("new/", stat) == Errno::success);
  const std::uint32_t out = guest.allocate(32);
  const std::uint32_t path = guest.put("soft");
  REQUIRE(guest.call("path_readlink", {kRoot, path, 4, out, 3, out + 16}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out + 16) == 3);
  CHECK(guest.text(out, 4) == std::string("new\0", 4));
  REQUIRE(guest.call("path_readlink", {kRoot, path, 4, out, 0, out + 16}) == Errno::success);
  CHECK(guest.read<std::uint32_t>(out + 16) == 0);
  REQUIRE(guest.hard_link("soft", "hard_to_link") == Errno::success);
  CHECK(world.is_link("root/hard_to_link"));
  REQUIRE(guest.hard_link("soft", "hard_to_file", kRoot, kRoot, lookupflag::symlink_follow) == Errno::success);
  CHECK_FALSE(world.is_link("root/hard_to_file"));
  CHECK(guest.path_call("path_remove_directory", "new") == Errno::notempty);
  CHECK(guest.path_call("path_unlink_file", "new") == Errno::isdir);
  CHECK(guest.path_call("path_unlink_file", "new/") == Errno::isdir);
  CHECK(guest.path_call("path_unlink_file", "hard/") == Errno::notdir);
  CHECK(guest.path_call("path_remove_directory", "hard") == Errno::notdir);
  CHECK(guest.rename("hard", "moved/") == Errno::notdir);
  CHECK(guest.rename("hard/", "moved") == Errno::notdir);
  REQUIRE(guest.rename("hard", "moved") == Errno::success);
  REQUIRE(guest.rename("new/", "newer/") == Errno::success);
  CHECK(guest.path_call("path_unlink_file", "newer/file") == Errno::success);
  CHECK(guest.path_call("path_remove_directory", "newer/") == Errno::success);
  CHECK(guest.path_call("path_remove_directory", ".") == Errno::inval);
  CHECK(world.read("root/moved") == "text");
}

TEST_CASE("times are set, and extreme ones of the host's do not overflow", "[path]") {
  World world;
  Guest& guest = world.guest;
  FileStat stat;
  REQUIRE(guest.set_times("file", 1'500'000'000'123'456'789) == Errno::success);
  REQUIRE(guest.stat("file", stat) == Errno::success);
  CHECK(stat.mtim == 1'500'000'000'123'456'789);
  const timespec before[2] = {{-100, 0}, {-100, 5}};
  REQUIRE(::utimensat(AT_FDCWD, world.host("root/file").c_str(), before, 0) == 0);
  REQUIRE(guest.stat("file", stat) == Errno::success);
  CHECK(stat.mtim == 0);
  CHECK(guest.set_times("file", UINT64_MAX) == Errno::success);
}

TEST_CASE("a FIFO does not hold up its opening, and is read as it comes", "[path]") {
  World world;
  Guest& guest = world.guest;
  REQUIRE(::mkfifo(world.host("root/fifo").c_str(), 0600) == 0);
  CHECK(guest.open("fifo", 0, kWrite).error == Errno::nxio);
  const auto reader = guest.open("fifo", 0, right::kAll & ~right::fd_write);
  REQUIRE(reader.error == Errno::success);
  const auto writer = guest.open("fifo", 0, right::fd_write);
  REQUIRE(writer.error == Errno::success);
  CHECK(guest.write_text(writer.fd, "through") == Errno::success);
  CHECK(guest.read_text(reader.fd) == "through");
  REQUIRE(guest.call("fd_fdstat_set_flags", {reader.fd, fdflag::nonblock}) == Errno::success);
  CHECK(guest.read_text(reader.fd) == "EAGAIN");
  const std::uint32_t out = guest.allocate(8);
  CHECK(guest.call("fd_seek", {reader.fd, 0, 0, out}) == Errno::spipe);
}

}  // namespace
}  // namespace wasi::preview1
