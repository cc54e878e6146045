// Files as bytes: content, and one clear error per way in which a file is none.
#include "os/file_content.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "os/file_mapping.h"
#include "os/virtual_memory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WASI_TEST_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WASI_TEST_SANITIZER 1
#endif
#endif

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
  const auto file = FileContent::open(path);
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().kind == ErrorKind::io);
  return file.error().message;
}

// So many that a thread reads, and not just whole blocks.
constexpr std::size_t kLarge = 9'000'001;

std::string text_of_size(std::size_t size) {
  std::string content(size, '\0');
  std::mt19937 random(1);
  std::ranges::generate(content, [&] { return static_cast<char>(random()); });
  return content;
}

void write(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  REQUIRE(file.flush().good());
}

TEST_CASE("a file's bytes stay whatever happens to the file", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "a.wasm";
  const std::size_t size =
      GENERATE(std::size_t{1}, std::size_t{4096}, std::size_t{700'000}, std::size_t{2} << 20, kLarge);
  CAPTURE(size);
  const std::string content = text_of_size(size);
  write(path, content);
  const auto file = FileContent::open(path);
  REQUIRE(file.has_value());
  REQUIRE(text((*file)->bytes()) == content);
  SECTION("another one takes its name") {
    write(folder / "b.wasm", "other");
    std::filesystem::rename(folder / "b.wasm", path);
    CHECK(text((*file)->bytes()) == content);
    CHECK(text((*FileContent::open(path))->bytes()) == "other");
  }
  SECTION("it is written over") {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(::pwrite(fd, "!", 1, static_cast<off_t>(size - 1)) == 1);
    ::close(fd);
    CHECK(text((*file)->bytes()) == content);
  }
  SECTION("it is cut off") {
    REQUIRE(::truncate(path.c_str(), 0) == 0);
    CHECK(text((*file)->bytes()) == content);
  }
  SECTION("it is removed") {
    std::filesystem::remove(path);
    CHECK(text((*file)->bytes()) == content);
  }
}

TEST_CASE("what was read can be shared with who maps a copy of it", "[file_content]") {
  const ScratchFolder folder;
  const auto write = [](const std::string& path, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 >> 3);
    std::ofstream(path, std::ios::binary) << text;
    return text;
  };
  for (const std::size_t size : {std::size_t{10}, page_size(), 5 * page_size() + 100, std::size_t{3} << 20}) {
    const std::string text = write(folder / "read", size);
    write(folder / "copy", size);
    const auto content = FileContent::open(folder / "read");
    REQUIRE(content);
    const auto copy = open_regular(folder / "copy");
    REQUIRE(copy);
    const auto mapping = FileMapping::map(copy->fd.get(), 0, size, MappedFor::reading);
    REQUIRE(mapping);
    (*content)->share(mapping->bytes());
    CHECK(std::ranges::equal((*content)->bytes(), std::span(reinterpret_cast<const std::uint8_t*>(text.data()), size)));
    CHECK(std::ranges::equal(mapping->bytes(), (*content)->bytes()));
    // Of another size it is none.
    (*content)->share(mapping->bytes().first(size - 1));
    CHECK(std::ranges::equal((*content)->bytes(), mapping->bytes()));
  }
}

TEST_CASE("a file is there piece by piece while it is read", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "a.wasm";
  const std::string content = text_of_size(kLarge);
  write(path, content);
  const auto begun = FileReading::begin(path);
  REQUIRE(begun.has_value());
  FileReading& reading = **begun;
  const auto bytes = reading.content()->bytes();
  REQUIRE(bytes.size() == kLarge);
  const auto is_there = [&](std::size_t begin, std::size_t end) {
    const auto there = reading.wait_for({begin, end});
    REQUIRE(there.has_value());
    REQUIRE(there->begin <= begin);
    REQUIRE(there->end >= std::min(end, kLarge));
    REQUIRE(there->end <= kLarge);
    return text(bytes.subspan(there->begin, there->end - there->begin)) ==
           content.substr(there->begin, there->end - there->begin);
  };
  SECTION("from the front") {
    for (std::size_t at = 0; at < kLarge; at += 300'000) REQUIRE(is_there(at, at + 1));
  }
  SECTION("from the back") {
    for (std::size_t end = kLarge; end > 300'000; end -= 300'000) REQUIRE(is_there(end - 1, end));
  }
  SECTION("across blocks") { CHECK(is_there(3'000'000, 7'000'000)); }
  SECTION("beyond its end") {
    CHECK(is_there(kLarge - 1, kLarge + 100));
    CHECK(reading.wait_for({kLarge, kLarge + 100}).has_value());
  }
  SECTION("not at all") { return; }
  REQUIRE(reading.wait_for_all().has_value());
  CHECK(text(bytes) == content);
}

TEST_CASE("a file that shrinks while it is read says so, or was read before", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "a.wasm";
  const std::string content = text_of_size(kLarge);
  for (int round = 0; round < 20; ++round) {
    write(path, content);
    const auto begun = FileReading::begin(path);
    REQUIRE(begun.has_value());
    REQUIRE(::truncate(path.c_str(), 100'000 * round) == 0);
    if (const auto all = (*begun)->wait_for_all()) {
      CHECK(text((*begun)->content()->bytes()) == content);
    } else {
      CHECK(all.error().kind == ErrorKind::io);
      CHECK(all.error().message == "cannot read " + path + ": it became shorter while it was read");
      // It stays an error.
      CHECK_FALSE((*begun)->wait_for_all().has_value());
    }
  }
}

// Files of sysfs say that they have a page.
TEST_CASE("a file with less in it than its size says counts as one that shrinks", "[file_content]") {
  const std::string path = "/sys/kernel/mm/transparent_hugepage/enabled";
  if (!std::filesystem::is_regular_file(path)) return;
  CHECK(error_of(path) == "cannot read " + path + ": it became shorter while it was read");
}

TEST_CASE("a file that is too large for any module is not read", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "holes.wasm";
  write(path, "x");
  std::error_code error;
  std::filesystem::resize_file(path, (std::uintmax_t{4} << 30) + 1, error);
  if (error) return;  // a file system without holes
  const auto file = FileContent::open(path);
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().kind == ErrorKind::limit);
  CHECK(file.error().message == "cannot read " + path + ": more than 4294967296 bytes");
}

#if !defined(WASI_TEST_SANITIZER)  // whose own reservations do not fit under the limit

// Lets the process have so many more bytes of address space.
class LimitedSpace {
 public:
  explicit LimitedSpace(std::size_t more) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    REQUIRE(pages != 0);
    REQUIRE(::getrlimit(RLIMIT_AS, &before_) == 0);
    const struct rlimit limit = {.rlim_cur = pages * page_size() + more, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_AS, &limit) == 0);
  }
  ~LimitedSpace() { ::setrlimit(RLIMIT_AS, &before_); }
  LimitedSpace(const LimitedSpace&) = delete;
  LimitedSpace& operator=(const LimitedSpace&) = delete;

 private:
  struct rlimit before_{};
};

TEST_CASE("a file that does not fit into memory says so", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "large.wasm";
  write(path, "x");
  std::filesystem::resize_file(path, 300U << 20);
  std::string message;
  {
    const LimitedSpace limited(200U << 20);
    message = error_of(path);
  }
  CHECK_THAT(message, Catch::StartsWith("cannot read " + path + ": cannot reserve "));
}

TEST_CASE("a file is read where there is no room for a thread, or for large pages", "[file_content]") {
  const ScratchFolder folder;
  const std::string path = folder / "a.wasm";
  const std::string content = text_of_size(kLarge);
  write(path, content);
  const std::size_t more = GENERATE(std::size_t{15} << 20, std::size_t{10} << 20);
  CAPTURE(more);
  const auto file = [&] {
    const LimitedSpace limited(more);
    return FileContent::open(path);
  }();
  REQUIRE(file.has_value());
  CHECK(text((*file)->bytes()) == content);
}

#endif

TEST_CASE("what is no file with content says so", "[file_content]") {
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

TEST_CASE("an unreadable file says so", "[file_content]") {
  if (::geteuid() == 0) return;  // root reads everything
  const ScratchFolder folder;
  const std::string secret = folder / "secret.wasm";
  std::ofstream(secret) << "x";
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  CHECK(error_of(secret) == "cannot open " + secret + ": Permission denied");
}

TEST_CASE("what does not tell its size is read to its end", "[file_content]") {
  const ScratchFolder folder;
  SECTION("a pipe") {
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string content(200'000, 'p');
    std::thread writer([&] { std::ofstream(path) << content; });
    const auto file = FileContent::open(path);
    writer.join();
    REQUIRE(file.has_value());
    CHECK(text((*file)->bytes()) == content);
  }
  SECTION("a file of procfs, whose size is said to be 0") {
    const auto file = FileContent::open("/proc/self/comm");
    REQUIRE(file.has_value());
    CHECK_FALSE((*file)->bytes().empty());
  }
}

}  // namespace
}  // namespace wasi::os
