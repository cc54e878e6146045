// Directories in memory: what they may take, what they give back, and what a hostile program makes of them.
#include "wasi/memory_files.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "guest.h"
#include "wasi/memory_tree.h"

namespace wasi::preview1 {
namespace {

constexpr std::uint64_t kMega = 1 << 20;

Opening creating() { return {.creates = true, .reads = true, .writes = true}; }

std::shared_ptr<File> create(Directory& directory, std::string_view path, Opening opening = creating()) {
  auto file = directory.open(path, opening);
  if (!file) FAIL(path << ": " << file.error());
  return *file;
}

Count write(File& file, std::string_view text) {
  iovec buffer{const_cast<char*>(text.data()), text.size()};
  return file.write({&buffer, 1});
}
Count write_at(File& file, std::string_view text, std::uint64_t offset) {
  iovec buffer{const_cast<char*>(text.data()), text.size()};
  return file.write_at({&buffer, 1}, offset);
}
std::string read_at(File& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  iovec buffer{text.data(), text.size()};
  const Count moved = file.read_at({&buffer, 1}, offset);
  if (!moved) return std::string(name_of(moved.error()));
  text.resize(*moved);
  return text;
}

struct Names final : EntrySink {
  std::vector<std::string> names;
  std::uint64_t cookie = 0;
  bool add(const DirEnt& entry, std::string_view name) override {
    names.emplace_back(name);
    cookie = entry.next;
    return true;
  }
};

struct Memory {
  std::shared_ptr<memory::Tree> tree;
  std::shared_ptr<Directory> root;
  explicit Memory(std::uint64_t limit) : tree(memory::make_tree(limit)), root(memory::root_of(tree)) {}
  [[nodiscard]] std::uint64_t used() const { return memory::used_bytes(*tree); }
};

TEST_CASE("data is stored up to the limit, and given back", "[memory]") {
  const Memory memory(kMega);
  const auto file = create(*memory.root, "file");
  const std::uint64_t names = memory.used();
  CHECK(names > 0);
  const std::string text(300'000, 'x');
  std::uint64_t stored = 0;
  Count moved = 0;
  while ((moved = write(*file, text)) && *moved == text.size()) stored += *moved;
  // A part of the last one found room.
  REQUIRE(moved);
  stored += *moved;
  CHECK(stored > kMega - 2 * FileData::kChunk);
  CHECK(write(*file, "x").value_or(0) <= 1);
  CHECK(write_at(*file, "x", 2 * kMega) == std::unexpected(Errno::nospc));
  CHECK(memory.used() <= kMega);
  CHECK(file->set_size(1) == Errno::success);
  CHECK(memory.used() == names + FileData::kChunk);
  CHECK(memory.root->unlink("file") == Errno::success);
  CHECK(memory.used() > 0);  // it is open
  CHECK(read_at(*file, 0, 10) == "x");
  CHECK(write(*file, text).value_or(0) == text.size());
}

TEST_CASE("what nobody has open or names is given back", "[memory]") {
  const Memory memory(kMega);
  {
    const auto file = create(*memory.root, "file");
    CHECK(write(*file, std::string(100'000, 'x')).value_or(0) == 100'000);
    CHECK(memory.root->link("file", false, *memory.root, "second") == Errno::success);
    CHECK(memory.root->unlink("file") == Errno::success);
    CHECK(memory.root->unlink("second") == Errno::success);
    CHECK(memory.used() > 100'000);
  }
  CHECK(memory.used() == 0);
  CHECK(memory.root->symlink(std::string(1000, 'l'), "link") == Errno::success);
  CHECK(memory.used() > 1000);
  CHECK(memory.root->create_directory("directory") == Errno::success);
  CHECK(memory.root->rename("link", *memory.root, "directory/" + std::string(200, 'n')) == Errno::success);
  CHECK(memory.root->unlink("directory/" + std::string(200, 'n')) == Errno::success);
  CHECK(memory.root->remove_directory("directory") == Errno::success);
  CHECK(memory.used() == 0);
  // A rename that replaces gives back what it replaced.
  CHECK(write(*create(*memory.root, "a"), "a").value_or(0) == 1);
  CHECK(write(*create(*memory.root, "b"), std::string(50'000, 'b')).value_or(0) == 50'000);
  CHECK(memory.root->rename("a", *memory.root, "b") == Errno::success);
  CHECK(memory.used() < 2 * FileData::kChunk);
  CHECK(memory.root->unlink("b") == Errno::success);
  CHECK(memory.used() == 0);
}

TEST_CASE("holes are free, whatever their size", "[memory]") {
  const Memory memory(kMega);
  const auto file = create(*memory.root, "file");
  const std::uint64_t names = memory.used();
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62;
  CHECK(file->set_size(kHuge) == Errno::success);
  CHECK(memory.used() == names);
  CHECK(file->stat()->size == kHuge);
  CHECK(read_at(*file, kHuge - 3, 10) == std::string(3, '\0'));
  CHECK(read_at(*file, kHuge / 2, 100'000) == std::string(100'000, '\0'));
  CHECK(write_at(*file, "x", kHuge).value_or(0) == 1);
  CHECK(write_at(*file, "ab", FileData::kMaxSize - 1).value_or(0) == 1);
  CHECK(write_at(*file, "x", FileData::kMaxSize) == std::unexpected(Errno::fbig));
  CHECK(file->seek(0, Whence::end) == FileData::kMaxSize);
  CHECK(file->seek(1, Whence::end) == std::unexpected(Errno::overflow));
  CHECK(file->seek(std::numeric_limits<std::int64_t>::min(), Whence::cur) == std::unexpected(Errno::inval));
  CHECK(file->set_size(0) == Errno::success);
  CHECK(memory.used() == names);
  // Storage that is asked for is taken, or refused at once.
  CHECK(file->allocate(0, kHuge) == Errno::nospc);
  CHECK(file->allocate(FileData::kMaxSize - 1, 1) == Errno::success);
  CHECK(file->set_size(0) == Errno::success);
  CHECK(file->allocate(10'000, 500'000) == Errno::success);
  CHECK(file->stat()->size == 510'000);
  CHECK(memory.used() >= names + 500'000);
  CHECK(file->allocate(0, 600'000) == Errno::success);
  CHECK(create(*memory.root, "other")->allocate(0, 500'000) == Errno::nospc);
  CHECK(read_at(*file, 9'000, 3'000) == std::string(3'000, '\0'));
  CHECK(write_at(*file, "within", 11'000).value_or(0) == 6);
  CHECK(read_at(*file, 10'998, 10) == std::string("\0\0within\0\0", 10));
  CHECK(file->allocate(0, 0) == Errno::inval);
  CHECK(memory::contents(*memory.tree, "file", 1000) == std::unexpected(Errno::fbig));
}

TEST_CASE("contents are right under random writes and cuts", "[memory]") {
  const Memory memory(8 * kMega);
  auto base = std::make_shared<std::string>(70'000, '\0');
  for (std::size_t i = 0; i < base->size(); ++i) (*base)[i] = static_cast<char>('a' + i % 23);
  const std::string original = *base;
  const SharedBytes bytes{{reinterpret_cast<const std::uint8_t*>(base->data()), base->size()}, base};
  REQUIRE(memory::add_file(*memory.tree, "file", bytes) == Errno::success);
  const auto file = *memory.root->open("file", {.reads = true, .writes = true});
  std::string expected = original;
  std::mt19937 random(7);
  const auto below = [&random](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 2000; ++round) {
    const std::size_t offset = below(200'000);
    switch (below(8)) {
      case 0:
        REQUIRE(file->set_size(offset) == Errno::success);
        expected.resize(offset, '\0');
        break;
      case 1: {
        const std::size_t length = 1 + below(20'000);
        REQUIRE(file->allocate(offset, length) == Errno::success);
        if (expected.size() < offset + length) expected.resize(offset + length, '\0');
        break;
      }
      default: {
        const std::string text(1 + below(10'000), static_cast<char>('A' + below(26)));
        REQUIRE(write_at(*file, text, offset) == text.size());
        if (expected.size() < offset + text.size()) expected.resize(offset + text.size(), '\0');
        expected.replace(offset, text.size(), text);
      }
    }
    const std::size_t at = below(200'000);
    const std::size_t size = 1 + below(20'000);
    REQUIRE(read_at(*file, at, size) == (at < expected.size() ? expected.substr(at, size) : ""));
  }
  CHECK(memory::contents(*memory.tree, "file", kMega) == expected);
  CHECK(*base == original);
}

TEST_CASE("names cost, so that they come to an end", "[memory]") {
  const Memory memory(kMega);
  int made = 0;
  Errno last = Errno::success;
  while (last == Errno::success && made < 100'000) {
    const auto file = memory.root->open("f" + std::to_string(made), creating());
    last = file ? Errno::success : file.error();
    made += file ? 1 : 0;
  }
  CHECK(last == Errno::nospc);
  CHECK(made > 1000);
  CHECK(made < 10'000);
  CHECK(memory.used() <= kMega);
  // Nor are there other names to be had, and what was refused has left nothing.
  CHECK(memory.root->create_directory("d") == Errno::nospc);
  CHECK(memory.root->symlink(std::string(2000, 'x'), "l") == Errno::nospc);
  Names names;
  REQUIRE(memory.root->list(0, 0, names) == Errno::success);
  CHECK(names.names.size() == static_cast<std::size_t>(made) + 2);
  // Things can still be put in order.
  CHECK(memory.root->rename("f0", *memory.root, "g0") == Errno::success);
  CHECK(memory.root->unlink("g0") == Errno::success);
  for (int i = 1; i < made; ++i) REQUIRE(memory.root->unlink("f" + std::to_string(i)) == Errno::success);
  CHECK(memory.used() == 0);
  // Hard links are names as well.
  (void)create(*memory.root, "file");
  int links = 0;
  while (memory.root->link("file", false, *memory.root, "l" + std::to_string(links)) == Errno::success) {
    REQUIRE(++links < 100'000);
  }
  CHECK(memory.root->stat_at("file", false)->nlink == static_cast<std::uint64_t>(links) + 1);
}

TEST_CASE("a tree may be deeper than any path, and goes without a trace", "[memory]") {
  constexpr int kDepth = 100'000;
  Memory memory(256 * kMega);
  auto at = memory.root;
  for (int i = 0; i < kDepth; ++i) {
    REQUIRE(at->create_directory("d") == Errno::success);
    auto below = at->open("d", {.wants_directory = true, .reads = true});
    REQUIRE(below);
    at = std::dynamic_pointer_cast<Directory>(*below);
  }
  // Into itself, from far below.
  CHECK(memory.root->rename("d", *at, "x") == Errno::inval);
  CHECK(at->stat()->nlink == 2);
  std::string up;
  for (int i = 0; i < 1000; ++i) up += "../";
  CHECK(at->stat_at(up, true) == std::unexpected(Errno::notcapable));
  at.reset();
  memory.root.reset();
  memory.tree.reset();
}

TEST_CASE("another tree is another device", "[memory]") {
  const Memory a(kMega);
  const Memory b(kMega);
  (void)create(*a.root, "file");
  CHECK(a.root->rename("file", *b.root, "file") == Errno::xdev);
  CHECK(a.root->link("file", false, *b.root, "file") == Errno::xdev);
  CHECK(a.root->stat()->dev != b.root->stat()->dev);
}

TEST_CASE("cookies that were never given out are places like others", "[memory]") {
  const Memory memory(kMega);
  for (int i = 0; i < 10; ++i) (void)create(*memory.root, "f" + std::to_string(i));
  for (const std::uint64_t cookie :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{7}, std::uint64_t{100}, FileData::kMaxSize}) {
    Names names;
    CHECK(memory.root->list(cookie, 0, names) == Errno::success);
    CHECK(names.names.size() <= 11);
  }
  Names names;
  CHECK(memory.root->list(FileData::kMaxSize + 1, 0, names) == Errno::inval);
  CHECK(names.names.empty());
}

TEST_CASE("threads rename, link, write and list at once", "[memory][threads]") {
  const Memory memory(4 * kMega);
  constexpr int kThreads = 4;
  constexpr int kRounds = 3000;
  for (const char* name : {"a", "b", "a/sub", "b/sub"}) REQUIRE(memory.root->create_directory(name) == Errno::success);
  std::atomic<bool> failed = false;
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](std::initializer_list<const char*> names) {
      return std::string(names.begin()[random() % names.size()]);
    };
    for (int i = 0; i < kRounds; ++i) {
      const std::string from =
          pick({"a", "b", "a/sub", "b/sub", "sub", "a/b", "."}) + "/" + pick({"x", "y", "z", "sub"});
      const std::string to = pick({"a", "b", "a/sub", "b/sub", "sub", "b/a", "."}) + "/" + pick({"x", "y", "z", "sub"});
      switch (random() % 8) {
        case 0:
        case 1:
          (void)memory.root->rename(from, *memory.root, to);
          break;
        case 2:
          (void)memory.root->link(from, false, *memory.root, to);
          break;
        case 3:
          (void)memory.root->unlink(from);
          break;
        case 4:
          (void)memory.root->create_directory(to);
          (void)memory.root->remove_directory(from);
          break;
        case 5: {
          Names names;
          if (memory.root->list(0, 0, names) != Errno::success) failed = true;
          break;
        }
        default: {
          auto file = memory.root->open(to, creating());
          if (!file || (*file)->type() != FileType::regular_file) break;
          const std::string text(random() % 10'000, static_cast<char>('a' + seed));
          (void)write(**file, text);
          (void)read_at(**file, 0, 5'000);
          (void)(*file)->stat();
          if (random() % 2 == 0) (void)(*file)->set_size(random() % 5'000);
        }
      }
      if (memory.used() > 4 * kMega) failed = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i + 1);
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(failed);
  // Nothing is left over when all is removed.
  const std::function<void(Directory&)> clear = [&](Directory& directory) {
    Names names;
    // From the start: a listing that goes on does not show what was added since it began.
    REQUIRE(directory.list(0, 0, names) == Errno::success);
    for (const std::string& name : names.names) {
      if (name == "." || name == ".." || directory.unlink(name) == Errno::success) continue;
      const auto below = directory.open(name, {.wants_directory = true, .reads = true});
      REQUIRE(below);
      clear(*(*below)->as_directory());
      REQUIRE(directory.remove_directory(name) == Errno::success);
    }
  };
  clear(*memory.root);
  CHECK(memory.used() == 0);
  CHECK(memory.root->stat()->nlink == 2);
}

TEST_CASE("threads share a file's end and one position", "[memory][threads]") {
  const Memory memory(16 * kMega);
  constexpr int kThreads = 4;
  constexpr int kWrites = 500;
  const auto shared = create(*memory.root, "shared");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&memory, &shared, i] {
      Opening appending = creating();
      appending.flags = fdflag::append;
      const auto log = memory.root->open("log", appending);
      const std::string line(100, static_cast<char>('a' + i));
      for (int n = 0; n < kWrites; ++n) {
        (void)write(**log, line);
        (void)write(*shared, line);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char* name : {"log", "shared"}) {
    const std::string text = *memory::contents(*memory.tree, name, kMega);
    REQUIRE(text.size() == std::size_t{100} * kThreads * kWrites);
    bool is_whole = true;
    for (std::size_t at = 0; at < text.size(); at += 100) {
      is_whole = is_whole && text.substr(at, 100) == std::string(100, text[at]);
    }
    CHECK(is_whole);
  }
}

}  // namespace
}  // namespace wasi::preview1
