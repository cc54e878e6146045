// Files and directories that are functions of the embedder's: what a program sees of them, and what a bad answer does.
#include "wasi/virtual_tree.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <stdexcept>

#include "guest.h"

namespace wasi::preview1 {
namespace {

using test::Guest;
using test::kRoot;

class MapDirectory;

// A tree in maps, as an embedder would write it in an hour. What `answer` is set to, everything answers.
struct Behaviour {
  std::function<void()> before;  // each call
  std::size_t most = SIZE_MAX;   // bytes moved at a time
  std::size_t boast = 0;         // what counts are too large by
  int calls = 0;
  void begin() {
    ++calls;
    if (before) before();
  }
};

class MapFile : public VirtualFile {
 public:
  explicit MapFile(Behaviour& behaviour) : behaviour_(behaviour) {}
  VirtualResult<VirtualStat> stat() override {
    behaviour_.begin();
    return VirtualStat{.size = text.size(), .id = 7, .accessed = 1, .modified = modified, .changed = 3};
  }
  VirtualResult<std::size_t> read(std::span<std::uint8_t> bytes, std::uint64_t offset) override {
    behaviour_.begin();
    if (offset >= text.size()) return 0;
    const std::size_t size = std::min({bytes.size(), text.size() - offset, behaviour_.most});
    std::memcpy(bytes.data(), text.data() + offset, size);
    return size + behaviour_.boast;
  }
  VirtualResult<std::size_t> write(std::span<const std::uint8_t> bytes, std::uint64_t offset) override {
    behaviour_.begin();
    const std::size_t size = std::min(bytes.size(), behaviour_.most);
    if (text.size() < offset + size) text.resize(offset + size);
    std::memcpy(text.data() + offset, bytes.data(), size);
    return size + behaviour_.boast;
  }
  VirtualResult<void> set_size(std::uint64_t size) override {
    text.resize(size);
    return {};
  }
  VirtualResult<void> set_times(std::optional<std::uint64_t>, std::optional<std::uint64_t> time) override {
    if (time) modified = *time;
    return {};
  }
  std::string text;
  std::uint64_t modified = 2;

 private:
  Behaviour& behaviour_;
};

class MapDirectory : public VirtualDirectory {
 public:
  explicit MapDirectory(Behaviour& behaviour) : behaviour_(behaviour) {}
  VirtualResult<VirtualNode> find(std::string_view name) override {
    behaviour_.begin();
    asked.emplace_back(name);
    const auto found = entries.find(std::string(name));
    if (found == entries.end()) return std::unexpected(std::errc::no_such_file_or_directory);
    return found->second;
  }
  VirtualResult<std::vector<VirtualEntry>> list() override {
    behaviour_.begin();
    std::vector<VirtualEntry> listed;
    for (const auto& [name, node] : entries) listed.push_back({name, node.directory != nullptr, 9});
    return listed;
  }
  VirtualResult<std::shared_ptr<VirtualFile>> create_file(std::string_view name) override {
    auto file = std::make_shared<MapFile>(behaviour_);
    entries[std::string(name)] = {.file = file};
    return file;
  }
  VirtualResult<void> create_directory(std::string_view name) override {
    entries[std::string(name)] = {.directory = std::make_shared<MapDirectory>(behaviour_)};
    return {};
  }
  VirtualResult<void> remove(std::string_view name) override {
    const auto found = entries.find(std::string(name));
    if (found->second.directory != nullptr && !static_cast<MapDirectory&>(*found->second.directory).entries.empty()) {
      return std::unexpected(std::errc::directory_not_empty);
    }
    entries.erase(found);
    return {};
  }
  VirtualResult<void> rename(std::string_view name, VirtualDirectory& to, std::string_view new_name) override {
    auto node = entries.extract(std::string(name));
    static_cast<MapDirectory&>(to).entries[std::string(new_name)] = node.mapped();
    return {};
  }
  std::map<std::string, VirtualNode> entries;
  std::vector<std::string> asked;

 private:
  Behaviour& behaviour_;
};

struct Virtual {
  Behaviour behaviour;
  std::shared_ptr<MapDirectory> root = std::make_shared<MapDirectory>(behaviour);
  Guest guest;

  explicit Virtual(Access access = Access::read_write,
                   runtime::BoundsChecks checks = runtime::BoundsChecks::guard_pages)
      : guest(configure(access), true, checks) {}

  std::shared_ptr<MapFile> add(MapDirectory& directory, const std::string& name, std::string text) {
    auto file = std::make_shared<MapFile>(behaviour);
    file->text = std::move(text);
    directory.entries[name] = {.file = file};
    return file;
  }
  std::shared_ptr<MapDirectory> add_directory(MapDirectory& directory, const std::string& name) {
    auto made = std::make_shared<MapDirectory>(behaviour);
    directory.entries[name] = {.directory = made};
    return made;
  }
  std::uint32_t open(std::string_view path, std::uint32_t oflags = 0, std::uint32_t fdflags = 0) {
    const auto opened = guest.open(path, oflags, right::kAll, kRoot, lookupflag::symlink_follow, fdflags);
    REQUIRE(opened.error == Errno::success);
    return opened.fd;
  }

 private:
  Config configure(Access access) {
    Config config;
    config.preopens.push_back({.host_path = {}, .guest_path = "/", .access = access, .made = root});
    return config;
  }
};

constexpr std::uint32_t kPlain = oflag::creat | oflag::trunc;

TEST_CASE("a program reads, writes and seeks in files of the embedder's", "[virtual]") {
  Virtual world;
  const auto hello = world.add(*world.root, "hello", "hello, world");
  std::uint32_t fd = world.open("hello");
  CHECK(world.guest.read_text(fd, 5) == "hello");
  CHECK(world.guest.read_text(fd) == ", world");
  CHECK(world.guest.read_text(fd) == "");
  const std::uint32_t place = world.guest.allocate(8);
  CHECK(world.guest.call("fd_seek", {fd, static_cast<std::uint64_t>(-5), 2, place}) == Errno::success);
  CHECK(world.guest.read<std::uint64_t>(place) == 7);
  CHECK(world.guest.write_text(fd, "WORLD!") == Errno::success);
  CHECK(hello->text == "hello, WORLD!");
  CHECK(world.guest.call("fd_seek", {fd, static_cast<std::uint64_t>(-1), 0, place}) == Errno::inval);
  fd = world.open("hello", 0, fdflag::append);
  CHECK(world.guest.write_text(fd, "?") == Errno::success);
  CHECK(hello->text == "hello, WORLD!?");
  CHECK(world.guest.call("fd_filestat_set_size", {fd, 3}) == Errno::success);
  CHECK(hello->text == "hel");
  CHECK(world.guest.call("fd_allocate", {fd, 2, 3}) == Errno::success);
  CHECK(hello->text.size() == 5);
  CHECK(world.guest.call("fd_sync", {fd}) == Errno::success);

  fd = world.open("new", kPlain);
  CHECK(world.guest.write_text(fd, "text") == Errno::success);
  CHECK(static_cast<MapFile&>(*world.root->entries["new"].file).text == "text");
  // By pieces, which nobody sees.
  world.behaviour.most = 2;
  CHECK(world.guest.write_text(fd, "12345") == Errno::success);
  CHECK(static_cast<MapFile&>(*world.root->entries["new"].file).text == "text12345");
  FileStat stat;
  CHECK(world.guest.stat("hello", stat) == Errno::success);
  CHECK(stat.type == FileType::regular_file);
  CHECK((stat.size == 5 && stat.ino == 7 && stat.atim == 1 && stat.mtim == 2 && stat.ctim == 3 && stat.nlink == 1));
  CHECK(world.guest.set_times("hello", 99) == Errno::success);
  CHECK(hello->modified == 99);
}

TEST_CASE("paths are resolved here, and lead nowhere else", "[virtual]") {
  Virtual world;
  const auto sub = world.add_directory(*world.root, "sub");
  const auto deep = world.add_directory(*sub, "deep");
  world.add(*deep, "file", "x");
  for (const char* path : {"sub/deep/file", "./sub//deep/./file", "sub/../sub/deep/../deep/file"}) {
    CAPTURE(path);
    CHECK(world.guest.open(path).error == Errno::success);
  }
  CHECK(world.guest.open("..").error == Errno::notcapable);
  CHECK(world.guest.open("sub/../../x").error == Errno::notcapable);
  CHECK(world.guest.open("/sub").error == Errno::notcapable);
  CHECK(world.guest.open("sub/deep/file/").error == Errno::notdir);
  CHECK(world.guest.open("sub/deep/file/x").error == Errno::notdir);
  CHECK(world.guest.open("nothing/x").error == Errno::noent);
  CHECK(world.guest.open("").error == Errno::noent);
  CHECK(world.guest.open(std::string(300, 'x')).error == Errno::nametoolong);
  CHECK(world.guest.open("sub", 0, right::kAll).error == Errno::isdir);
  CHECK(world.guest.open("new/", oflag::creat, right::kAll).error == Errno::isdir);
  CHECK(world.guest.open("sub/deep/file", oflag::creat | oflag::excl, right::kAll).error == Errno::exist);
  CHECK(world.guest.open("sub/deep/file", oflag::directory).error == Errno::notdir);
  // Beneath a directory that was opened, its parent is out of reach.
  const auto opened = world.guest.open("sub", oflag::directory);
  REQUIRE(opened.error == Errno::success);
  CHECK(world.guest.open("deep/file", 0, right::fd_read, opened.fd).error == Errno::success);
  CHECK(world.guest.open("../sub", 0, right::fd_read, opened.fd).error == Errno::notcapable);
  for (const auto& directory : {world.root, sub, deep}) {
    for (const std::string& name : directory->asked) CHECK((name != "." && name != ".." && !name.contains('/')));
  }
}

TEST_CASE("names are made, moved and removed", "[virtual]") {
  Virtual world;
  Guest& guest = world.guest;
  CHECK(guest.path_call("path_create_directory", "a") == Errno::success);
  CHECK(guest.path_call("path_create_directory", "a") == Errno::exist);
  CHECK(guest.path_call("path_create_directory", "a/b/") == Errno::success);
  (void)world.open("a/file", kPlain);
  CHECK(guest.path_call("path_remove_directory", "a") == Errno::notempty);
  CHECK(guest.path_call("path_remove_directory", "a/file") == Errno::notdir);
  CHECK(guest.path_call("path_unlink_file", "a/b") == Errno::isdir);
  CHECK(guest.rename("a/file", "a/b/moved") == Errno::success);
  CHECK(guest.rename("a/file", "a/x") == Errno::noent);
  CHECK(guest.rename("a", "a/b/a") == Errno::inval);
  CHECK(guest.rename("a/b/moved", "a") == Errno::isdir);
  CHECK(guest.rename("a", "a/b/moved") == Errno::inval);
  CHECK(guest.rename(".", "x") == Errno::busy);
  CHECK(guest.path_call("path_unlink_file", "a/b/moved") == Errno::success);
  CHECK(guest.path_call("path_unlink_file", "a/b/moved") == Errno::noent);
  CHECK(guest.path_call("path_remove_directory", "a/b/") == Errno::success);
  CHECK(guest.path_call("path_remove_directory", "a") == Errno::success);
  CHECK(world.root->entries.empty());
  CHECK(guest.symlink("x", "link") == Errno::perm);
  (void)world.open("file", kPlain);
  CHECK(guest.hard_link("file", "link") == Errno::perm);
}

TEST_CASE("listings are what they were when they began", "[virtual]") {
  Virtual world;
  world.add_directory(*world.root, "directory");
  for (const char* name : {"one", "two", "three"}) world.add(*world.root, name, "");
  const std::uint32_t buffer = world.guest.allocate(1024);
  const std::uint32_t used = world.guest.allocate(4);
  const auto list = [&](std::uint64_t cookie) {
    CHECK(world.guest.call("fd_readdir", {kRoot, buffer, 1024, cookie, used}) == Errno::success);
    std::string names;
    for (std::uint32_t at = buffer; at < buffer + world.guest.read<std::uint32_t>(used);) {
      const auto entry = world.guest.read<DirEnt>(at);
      at += sizeof(entry);
      names += world.guest.text(at, entry.name_length) + (entry.type == FileType::directory ? "/ " : " ");
      at += entry.name_length;
    }
    return names;
  };
  CHECK(list(0) == "./ ../ directory/ one three two ");
  world.add(*world.root, "another", "");
  CHECK(list(3) == "one three two ");
  CHECK(list(99) == "");
  CHECK(list(0) == "./ ../ another directory/ one three two ");
}

TEST_CASE("nothing is written where only reading is allowed", "[virtual]") {
  Virtual world(Access::read_only);
  world.add(*world.root, "file", "text");
  CHECK(world.guest.open("file", 0, right::kAll).error == Errno::rofs);
  CHECK(world.guest.read_text(world.guest.open("file").fd) == "text");
  CHECK(world.guest.path_call("path_unlink_file", "file") == Errno::rofs);
}

TEST_CASE("a bad answer is EIO, and touches nothing", "[virtual]") {
  Virtual world;
  world.add(*world.root, "file", "text");
  const std::uint32_t fd = world.open("file");
  SECTION("a count beyond what was asked for") {
    world.behaviour.boast = 1000;
    CHECK(world.guest.read_text(fd) == "EIO");
    CHECK(world.guest.write_text(fd, "x") == Errno::io);
  }
  SECTION("nothing written") {
    world.behaviour.most = 0;
    CHECK(world.guest.write_text(fd, "x") == Errno::io);
  }
  SECTION("an exception") {
    world.behaviour.before = [] { throw std::runtime_error("no"); };
    CHECK(world.guest.read_text(fd) == "EIO");
    CHECK(world.guest.open("file").error == Errno::io);
    FileStat stat;
    CHECK(world.guest.stat("file", stat) == Errno::io);
    CHECK(world.guest.call("fd_readdir", {kRoot, world.guest.allocate(64), 64, 0, world.guest.allocate(4)}) ==
          Errno::io);
  }
  SECTION("neither a file nor a directory") {
    world.root->entries["nothing"] = {};
    CHECK(world.guest.open("nothing").error == Errno::io);
  }
  SECTION("names that are none") {
    for (const std::string name : {"", "..", "a/b", "a\xff"}) {
      const auto entry = world.root->entries.insert_or_assign(name, VirtualNode{}).first;
      CHECK(world.guest.call("fd_readdir", {kRoot, world.guest.allocate(64), 64, 0, world.guest.allocate(4)}) ==
            Errno::io);
      world.root->entries.erase(entry);
    }
  }
}

TEST_CASE("memory that moves while a file is read gets the bytes where it is then", "[virtual]") {
  Virtual world(Access::read_write, runtime::BoundsChecks::explicit_checks);
  world.add(*world.root, "file", "text");
  const std::uint32_t fd = world.open("file");
  world.behaviour.before = [&] { world.guest.grow_memory(); };
  CHECK(world.guest.read_text(fd) == "text");
  CHECK(world.guest.write_text(fd, "more") == Errno::success);
  world.behaviour.before = nullptr;
  CHECK(static_cast<MapFile&>(*world.root->entries["file"].file).text == "textmore");
  const std::uint32_t place = world.guest.allocate(8);
  CHECK(world.guest.call("fd_seek", {fd, 0, 0, place}) == Errno::success);
  CHECK(world.guest.read_text(fd) == "textmore");
}

}  // namespace
}  // namespace wasi::preview1
