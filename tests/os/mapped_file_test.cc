// Files as bytes: content, and one clear error per way in which a file is none.
#include "os/mapped_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace wasi::os {
namespace {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "wasirun-os-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string text(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

std::string error_of(const std::string& path) {
  const auto file = MappedFile::open(path);
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().kind == ErrorKind::io);
  return file.error().message;
}

TEST_CASE("a file's bytes stay when the file is replaced", "[mapped_file]") {
  const ScratchFolder folder;
  const std::string path = folder / "a.wasm";
  std::ofstream(path) << "content";
  const auto file = MappedFile::open(path);
  REQUIRE(file.has_value());
  CHECK(text((*file)->bytes()) == "content");
  std::ofstream(folder / "b.wasm") << "other";
  std::filesystem::rename(folder / "b.wasm", path);
  CHECK(text((*file)->bytes()) == "content");
  CHECK(text((*MappedFile::open(path))->bytes()) == "other");
}

TEST_CASE("what is no file with content says so", "[mapped_file]") {
  const ScratchFolder folder;
  const std::string missing = folder / "missing.wasm";
  CHECK(error_of(missing) == "cannot open " + missing + ": No such file or directory");
  const std::string directory = folder / "directory";
  std::filesystem::create_directory(directory);
  CHECK(error_of(directory) == "cannot read " + directory + ": it is a directory");
  const std::string empty = folder / "empty.wasm";
  std::ofstream(empty).flush();
  CHECK(error_of(empty) == "cannot use " + empty + ": it is empty");
  const std::string loop = folder / "loop";
  std::filesystem::create_symlink("loop", loop);
  CHECK(error_of(loop) == "cannot open " + loop + ": Too many levels of symbolic links");
}

TEST_CASE("an unreadable file says so", "[mapped_file]") {
  if (::geteuid() == 0) return;  // root reads everything
  const ScratchFolder folder;
  const std::string secret = folder / "secret.wasm";
  std::ofstream(secret) << "x";
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  CHECK(error_of(secret) == "cannot open " + secret + ": Permission denied");
}

TEST_CASE("what is mapped is known by its identity, as long as it is", "[mapped_file]") {
  const ScratchFolder folder;
  const std::string path = folder / "module.wasm";
  std::ofstream(path) << "x";
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK_FALSE(MappedFile::is_mapped(status.st_dev, status.st_ino));
  auto first = MappedFile::open(path);
  auto second = MappedFile::open(path);
  REQUIRE((first.has_value() && second.has_value()));
  CHECK(MappedFile::is_mapped(status.st_dev, status.st_ino));
  CHECK_FALSE(MappedFile::is_mapped(status.st_dev, status.st_ino + 1));
  first->reset();
  CHECK(MappedFile::is_mapped(status.st_dev, status.st_ino));
  second->reset();
  CHECK_FALSE(MappedFile::is_mapped(status.st_dev, status.st_ino));
}

TEST_CASE("what cannot be mapped is read", "[mapped_file]") {
  const ScratchFolder folder;
  SECTION("a pipe") {
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string content(200'000, 'p');
    std::thread writer([&] { std::ofstream(path) << content; });
    const auto file = MappedFile::open(path);
    writer.join();
    REQUIRE(file.has_value());
    CHECK(text((*file)->bytes()) == content);
  }
  SECTION("a file of procfs, whose size is said to be 0") {
    const auto file = MappedFile::open("/proc/self/comm");
    REQUIRE(file.has_value());
    CHECK_FALSE((*file)->bytes().empty());
  }
}

}  // namespace
}  // namespace wasi::os
