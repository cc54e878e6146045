// What tells one file from another, and from what it was before.
#include "os/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

#include "os/unique_fd.h"
#include "support/temp_dir.h"

namespace wasi::os {
namespace {

FileIdentity must_have(const std::filesystem::path& path) {
  const auto identity = identity_of(path.string());
  REQUIRE(identity.has_value());
  return *identity;
}

TEST_CASE("a file is the same until somebody writes to it, or puts another in its place", "[file_identity]") {
  const test::TempDir folder;
  folder.write("a", "content");
  const auto path = folder / "a";
  const FileIdentity first = must_have(path);
  CHECK(first.size == 7);
  CHECK(must_have(path) == first);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(identity_of(file.get()) == first);
  // A time that is set changes the other one.
  const auto before = std::filesystem::last_write_time(path);
  std::filesystem::last_write_time(path, before - std::chrono::hours(1));
  CHECK(must_have(path).modified < first.modified);
  folder.write("b", "content");
  std::filesystem::last_write_time(folder / "b", std::filesystem::last_write_time(path));
  CHECK(must_have(folder / "b") != must_have(path));
  folder.write("a", "longer content");
  CHECK(must_have(path) != first);
  std::filesystem::create_symlink("a", folder / "link");
  CHECK(must_have(folder / "link") == must_have(path));
}

TEST_CASE("only regular files that are there have an identity", "[file_identity]") {
  const test::TempDir folder;
  CHECK_FALSE(identity_of((folder / "missing").string()).has_value());
  CHECK_FALSE(identity_of(folder.path().string()).has_value());
  CHECK_FALSE(identity_of("/dev/null").has_value());
  CHECK_FALSE(identity_of(-1).has_value());
}

TEST_CASE("a pipe is left to whoever reads it", "[file_identity]") {
  const test::TempDir folder;
  const auto path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const std::jthread writer([&path] {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));  // waits for a reader
    if (::write(file.get(), "content", 7) != 7) std::abort();
  });
  CHECK_FALSE(identity_of(path.string()).has_value());
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[8] = {};
  CHECK(::read(file.get(), text, 7) == 7);
  CHECK(std::string_view(text) == "content");
}

TEST_CASE("what was changed just now, or will be, is not settled", "[file_identity]") {
  const test::TempDir folder;
  folder.write("a", "content");
  FileIdentity identity = must_have(folder / "a");
  CHECK_FALSE(is_settled(identity));
  identity.changed -= std::chrono::nanoseconds(std::chrono::minutes(1)).count();
  CHECK(is_settled(identity));
  identity.changed += std::chrono::nanoseconds(std::chrono::hours(1)).count();
  CHECK_FALSE(is_settled(identity));
}

TEST_CASE("the machine's start has a name that stays", "[file_identity]") { CHECK(boot_id() == boot_id()); }

}  // namespace
}  // namespace wasi::os
