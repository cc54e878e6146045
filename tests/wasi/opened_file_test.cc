// Files that are opened without a look at what they are: when somebody looks after all, and what they turn out to be.
#include "wasi/opened_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_dir.h"
#include "wasi/host_directory.h"
#include "world.h"

namespace wasi::preview1 {
namespace {

using test::Guest;

struct World : test::World {
  World() {
    write("root/file", "root/file");
    make_directory("root/sub");
    write("root/sub/file", "sub/file");
  }
};

struct Root {
  wasi::test::TempDir dir;
  HostDirectory directory{HostHandle::owned(os::UniqueFd(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY))),
                          os::Resolver(false)};

  Root() {
    dir.make_directory("sub");
    dir.write("sub/file", "0123456789");
    REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  }
  std::shared_ptr<File> open(std::string_view path, Opening opening = {.reads = true}) {
    auto file = directory.open(path, opening);
    REQUIRE(file.has_value());
    return *file;
  }
};

std::string read(File& file, std::size_t size, std::optional<std::uint64_t> offset = std::nullopt) {
  std::string text(size, '\0');
  iovec buffer{text.data(), size};
  const Count moved = offset ? file.read_at({&buffer, 1}, *offset) : file.read({&buffer, 1});
  if (!moved) return std::string("error ") + std::to_string(static_cast<int>(moved.error()));
  return text.substr(0, *moved);
}

TEST_CASE("who opens, reads and closes a file asks nobody what it is", "[opened_file]") {
  Root root;
  const auto file = root.open("sub/file");
  CHECK_FALSE(file->is_seen());
  CHECK(read(*file, 4) == "0123");
  CHECK(read(*file, 4, 8) == "89");
  CHECK(read(*file, 100) == "456789");
  CHECK(file->close() == Errno::success);
  CHECK_FALSE(file->is_seen());
}

TEST_CASE("what was opened to read turns out to be what it is, once", "[opened_file]") {
  Root root;
  const auto file = root.open("sub/file");
  CHECK(file->type() == FileType::regular_file);
  CHECK(file->is_seen());
  CHECK(file->rights() == right::kOfFiles);
  CHECK_FALSE(file->is_stream());
  CHECK(file->as_directory() == nullptr);
  CHECK(file->poll_handle() == -1);
  CHECK(file->readable() == 10);

  const auto directory = root.open("sub");
  CHECK_FALSE(directory->is_seen());
  CHECK(read(*directory, 4) == "error " + std::to_string(static_cast<int>(Errno::isdir)));
  REQUIRE(directory->as_directory() != nullptr);
  CHECK(directory->type() == FileType::directory);
  CHECK(directory->rights() == right::kOfDirectories);
  CHECK(directory->as_directory()->stat_at("file", false)->size == 10);
  auto inner = directory->as_directory()->open("file", {.reads = true});
  REQUIRE(inner);
  CHECK(read(**inner, 3) == "012");

  const auto fifo = root.open("fifo");
  CHECK(fifo->is_stream());
  CHECK(fifo->poll_handle() >= 0);
  CHECK(fifo->rights() == right::kOfStreams);

  // A look at its size is a look.
  const auto another = root.open("sub/file");
  CHECK(another->stat()->size == 10);
  CHECK(another->is_seen());
}

TEST_CASE("what is known or written to is looked at, or not asked, at once", "[opened_file]") {
  Root root;
  CHECK(root.open("sub", {.wants_directory = true, .reads = true})->is_seen());
  CHECK(root.open("sub/file", {.reads = true, .writes = true})->is_seen());
  CHECK(root.open("sub/file", {.truncates = true, .reads = true})->is_seen());
  CHECK(root.dir.read("sub/file").empty());
}

TEST_CASE("several threads look at once, and one of them makes the directory", "[opened_file]") {
  Root root;
  for (int round = 0; round < 50; ++round) {
    const auto directory = root.open("sub");
    std::atomic<int> ready{0};
    std::vector<Directory*> found(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < found.size(); ++i) {
      threads.emplace_back([&, i] {
        ready.fetch_add(1);
        while (ready.load() < 4) std::this_thread::yield();
        found[i] = directory->as_directory();
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(found[0] != nullptr);
    CHECK(found == std::vector<Directory*>(4, found[0]));
  }
}

TEST_CASE("a guest is told the rights of what it has opened, in whichever order it asks", "[opened_file]") {
  World world;
  Guest& guest = world.guest;
  constexpr Rights kAsked = right::kAll & ~right::fd_write;
  for (const bool reads_first : {false, true}) {
    const auto file = guest.open("file", 0, kAsked);
    REQUIRE(file.error == Errno::success);
    if (reads_first) CHECK(guest.read_text(file.fd).size() > 1);
    const FdStat stat = guest.fdstat(file.fd);
    CHECK(stat.type == FileType::regular_file);
    CHECK(stat.rights_base == (kAsked & right::kOfFiles));
    CHECK(stat.rights_inheriting == 0);
    const std::uint32_t out = guest.allocate(8);
    CHECK(guest.call("fd_readdir", {file.fd, out, 8, 0, out}) == Errno::notdir);
    CHECK(guest.open("x", 0, kAsked, file.fd).error == Errno::notdir);
    // What a file does not have cannot be asked for later.
    CHECK(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read | right::path_open, 0}) == Errno::notcapable);
    CHECK(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_read, right::fd_read}) == Errno::notcapable);

    const auto directory = guest.open("sub", 0, kAsked);
    REQUIRE(directory.error == Errno::success);
    if (reads_first) CHECK(guest.read_text(directory.fd) == "EISDIR");
    CHECK(guest.call("fd_seek", {directory.fd, 0, 0, out}) == Errno::isdir);
    CHECK(guest.fdstat(directory.fd).type == FileType::directory);
    CHECK(guest.fdstat(directory.fd).rights_base == (kAsked & right::kOfDirectories));
    CHECK(guest.fdstat(directory.fd).rights_inheriting != 0);
    const auto inner = guest.open("file", 0, kAsked, directory.fd);
    REQUIRE(inner.error == Errno::success);
    CHECK(guest.read_text(inner.fd) == "sub/file");
  }
}

TEST_CASE("a descriptor without the right to read does not read, looked at or not", "[opened_file]") {
  World world;
  Guest& guest = world.guest;
  const auto file = guest.open("file", 0, right::kAll & ~right::fd_write);
  REQUIRE(file.error == Errno::success);
  REQUIRE(guest.call("fd_fdstat_set_rights", {file.fd, right::fd_seek, 0}) == Errno::success);
  CHECK(guest.read_text(file.fd) == "EBADF");
}

}  // namespace
}  // namespace wasi::preview1
