// Code memory in both ways, and hosts that refuse it.
#include "os/code_memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "support/machine_code.h"
#include "support/restricted.h"

namespace wasi::os {
namespace {

using test::call;
using test::forbid;
using test::in_child;
using test::kCannotTest;
using test::returning;

Result<void> write_code(CodeMemory& memory, std::size_t offset, std::uint8_t value) {
  const auto code = returning(value);
  auto writable = memory.begin_write(offset, code.size());
  if (!writable) return std::unexpected(writable.error());
  std::copy(code.begin(), code.end(), writable->begin());
  return memory.publish(offset, code.size());
}

// The kernel says EFAULT where it cannot read.
bool is_readable(const std::uint8_t* address) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const bool could_read = ::write(ends[1], address, 1) == 1;
  ::close(ends[0]);
  ::close(ends[1]);
  return could_read;
}

// Mappings of this process that may be written and executed.
int writable_and_executable() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(" rwx") != std::string::npos ? 1 : 0;
  return count;
}

TEST_CASE("code that was written runs, in both ways", "[code_memory]") {
  const CodeViews views = GENERATE(CodeViews::two, CodeViews::one);
  const std::size_t page = page_size();
  const int before = writable_and_executable();
  auto memory = CodeMemory::reserve(1024 * page, views);
  REQUIRE(memory.has_value());
  CHECK(memory->has_two_views() == (views == CodeViews::two));
  CHECK(memory->size() == 1024 * page);
  CHECK_FALSE(is_readable(memory->code()));

  REQUIRE(memory->commit(16 * page, 16 * page).has_value());
  CHECK_FALSE(is_readable(memory->code() + 15 * page));
  CHECK_FALSE(is_readable(memory->code() + 32 * page));
  const std::uint8_t* const committed = memory->code() + 16 * page;
  CHECK(std::all_of(committed, committed + 16 * page, [](std::uint8_t byte) { return byte == kTrapByte; }));

  REQUIRE(write_code(*memory, 16 * page, 1).has_value());
  REQUIRE(write_code(*memory, 17 * page, 2).has_value());
  CHECK(call(memory->code() + 16 * page) == 1);
  CHECK(call(memory->code() + 17 * page) == 2);
  CHECK(writable_and_executable() == before);
  {
    auto writable = memory->begin_write(18 * page, 6);
    REQUIRE(writable.has_value());
    CHECK(writable->size() == 6);
    CHECK((writable->data() == memory->code() + 18 * page) == (views == CodeViews::one));
    CHECK(writable_and_executable() == before);
    CHECK(call(memory->code() + 17 * page) == 2);  // while its neighbour is written
    REQUIRE(memory->publish(18 * page, 6).has_value());
  }

  // As new after it was discarded.
  REQUIRE(memory->discard(16 * page, 16 * page).has_value());
  CHECK_FALSE(is_readable(committed));
  REQUIRE(memory->commit(16 * page, 16 * page).has_value());
  CHECK(std::all_of(committed, committed + 16 * page, [](std::uint8_t byte) { return byte == kTrapByte; }));
}

TEST_CASE("with two views neighbours in a page are written while code runs", "[code_memory]") {
  auto memory = CodeMemory::reserve(16 * page_size(), CodeViews::two);
  REQUIRE(memory.has_value());
  CHECK(memory->write_unit() == 1);
  REQUIRE(memory->commit(0, page_size()).has_value());
  REQUIRE(write_code(*memory, 0, 1).has_value());
  auto writable = memory->begin_write(16, 6);
  REQUIRE(writable.has_value());
  CHECK(call(memory->code()) == 1);
  REQUIRE(memory->publish(16, 6).has_value());
}

TEST_CASE("discarded memory goes back to the host", "[code_memory]") {
  const CodeViews views = GENERATE(CodeViews::two, CodeViews::one);
  const std::size_t pages = 64;
  auto memory = CodeMemory::reserve(2 * pages * page_size(), views);
  REQUIRE(memory.has_value());
  // How many pages of the range have memory.
  const auto resident = [&] {
    std::array<unsigned char, 2 * pages> in_core{};
    REQUIRE(::mincore(const_cast<std::uint8_t*>(memory->code()), memory->size(), in_core.data()) == 0);
    return std::count_if(in_core.begin(), in_core.end(), [](unsigned char page) { return (page & 1) != 0; });
  };
  CHECK(resident() == 0);
  REQUIRE(memory->commit(0, 2 * pages * page_size()).has_value());
  CHECK(resident() == 2 * pages);
  REQUIRE(memory->discard(0, pages * page_size()).has_value());
  CHECK(resident() == pages);
}

TEST_CASE("code memory moves with its object", "[code_memory]") {
  auto memory = CodeMemory::reserve(page_size());
  REQUIRE(memory.has_value());
  REQUIRE(memory->commit(0, page_size()).has_value());
  REQUIRE(write_code(*memory, 0, 5).has_value());
  CodeMemory other = *std::move(memory);
  CHECK(memory->size() == 0);
  CHECK(call(other.code()) == 5);
  const std::uint8_t* const code = other.code();
  other = CodeMemory();
  CHECK_FALSE(is_readable(code));
}

TEST_CASE("memory that was freed traps", "[code_memory]") {
  const CodeViews views = GENERATE(CodeViews::two, CodeViews::one);
  CHECK(in_child([&] {
          auto memory = CodeMemory::reserve(page_size(), views);
          if (!memory || !memory->commit(0, page_size())) return kCannotTest;
          return call(memory->code() + 100);
        }) == 1000 + SIGTRAP);
}

TEST_CASE("without memfd_create there is one view", "[code_memory]") {
  const int error = GENERATE(ENOSYS, EPERM, EACCES, EMFILE);
  CHECK(in_child([&] {
          if (!forbid(SYS_memfd_create, error)) return kCannotTest;
          auto memory = CodeMemory::reserve(64 * page_size());
          if (!memory || memory->has_two_views()) return 1;
          if (!memory->commit(0, page_size()) || !write_code(*memory, 0, 7)) return 2;
          return call(memory->code()) == 7 ? 0 : 3;
        }) == 0);
}

TEST_CASE("kernels that do not know the seal do without", "[code_memory]") {
  CHECK(in_child([] {
          if (!forbid(SYS_memfd_create, EINVAL, 1, 8)) return kCannotTest;
          auto memory = CodeMemory::reserve(64 * page_size());
          return memory && memory->has_two_views() ? 0 : 1;
        }) == 0);
}

TEST_CASE("a limit on the size of files leaves one view, and no signal", "[code_memory]") {
  CHECK(in_child([] {
          const rlimit limit = {1U << 16, 1U << 16};
          if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return kCannotTest;
          auto memory = CodeMemory::reserve(1024 * page_size());
          return memory && !memory->has_two_views() ? 0 : 1;
        }) == 0);
}

TEST_CASE("a host that refuses executable memory is an error that says what was refused", "[code_memory]") {
  const CodeViews views = GENERATE(CodeViews::any, CodeViews::two, CodeViews::one);
  CHECK(in_child([&] {
          if (!forbid(SYS_mmap, EPERM, 2, PROT_EXEC) || !forbid(SYS_mprotect, EACCES, 2, PROT_EXEC)) return kCannotTest;
          const auto memory = CodeMemory::reserve(16 * page_size(), views);
          if (memory || memory.error().kind != ErrorKind::io) return 1;
          const std::string two = "mmap of an executable memfd was refused: Operation not permitted";
          const std::string one = "mprotect of executable pages was refused: Permission denied";
          const std::string what = views == CodeViews::any ? two + "; " + one : views == CodeViews::two ? two : one;
          return memory.error().message == "no memory for machine code: " + what ? 0 : 2;
        }) == 0);
}

TEST_CASE("a process that may not make its memory executable has two views", "[code_memory]") {
  constexpr int kSetMdwe = 65;  // PR_SET_MDWE
  const int status = in_child([] {
    if (::prctl(kSetMdwe, 1UL, 0UL, 0UL, 0UL) != 0) return kCannotTest;
    auto one = CodeMemory::reserve(16 * page_size(), CodeViews::one);
    if (one) return 1;
    auto two = CodeMemory::reserve(16 * page_size());
    if (!two) return 2;
    if (!two->commit(0, page_size())) return 3;
    if (!write_code(*two, 0, 9)) return 4;
    return call(two->code()) == 9 ? 0 : 5;
  });
  if (status == kCannotTest) {
    WARN("this kernel has no PR_SET_MDWE");
  } else {
    CHECK(status == 0);
  }
}

TEST_CASE("memory that the host does not have is an error", "[code_memory]") {
  CHECK(in_child([] {
          auto memory = CodeMemory::reserve(16 * page_size(), CodeViews::two);
          if (!memory || !forbid(SYS_fallocate, ENOSPC) || !forbid(SYS_madvise, EFAULT)) return kCannotTest;
          const auto committed = memory->commit(0, page_size());
          if (committed) return 1;
          return committed.error().message == "memory for machine code was refused: No space left on device" ? 0 : 2;
        }) == 0);
}

TEST_CASE("either way of asking for memory is enough", "[code_memory]") {
  const bool without_fallocate = GENERATE(false, true);
  CHECK(in_child([&] {
          auto memory = CodeMemory::reserve(16 * page_size(), CodeViews::two);
          if (!memory) return kCannotTest;
          if (!(without_fallocate ? forbid(SYS_fallocate, EPERM) : forbid(SYS_madvise, EINVAL))) return kCannotTest;
          if (!memory->commit(0, page_size()) || !write_code(*memory, 0, 3)) return 1;
          return call(memory->code()) == 3 ? 0 : 2;
        }) == 0);
}

TEST_CASE("a range that cannot be had is an error", "[code_memory]") {
  const auto memory = CodeMemory::reserve(std::size_t{1} << 60);
  REQUIRE_FALSE(memory.has_value());
  CHECK(memory.error().kind == ErrorKind::io);
}

TEST_CASE("a forked process cannot change its parent's code", "[code_memory]") {
  auto memory = CodeMemory::reserve(16 * page_size(), CodeViews::two);
  REQUIRE(memory.has_value());
  REQUIRE(memory->commit(0, page_size()).has_value());
  REQUIRE(write_code(*memory, 0, 4).has_value());
  std::uint8_t* const writable = memory->begin_write(0, 6).value().data();
  CHECK(in_child([&] {
          if (call(memory->code()) != 4) return 1;
          const auto written = memory->begin_write(0, 6);
          if (written || written.error().message !=
                             "memory for machine code cannot be changed in a process forked since it was made") {
            return 2;
          }
          if (memory->commit(0, page_size()) || memory->discard(0, page_size())) return 3;
          // What the child has at the address of the writable view is its own, and stays when the object goes.
          void* const own = ::mmap(writable, page_size(), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
          if (own != writable) return 4;
          *memory = CodeMemory();
          *writable = 1;
          return 0;
        }) == 0);
  CHECK(call(memory->code()) == 4);
}

TEST_CASE("a forked process has its own copy of one view", "[code_memory]") {
  auto memory = CodeMemory::reserve(16 * page_size(), CodeViews::one);
  REQUIRE(memory.has_value());
  REQUIRE(memory->commit(0, page_size()).has_value());
  REQUIRE(write_code(*memory, 0, 4).has_value());
  CHECK(in_child([&] { return write_code(*memory, 0, 5) && call(memory->code()) == 5 ? 0 : 1; }) == 0);
  CHECK(call(memory->code()) == 4);
}

}  // namespace
}  // namespace wasi::os
