// Listings of a directory whose file system gives positions that no 32 bits hold, whatever the one beneath does.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host_calls.h"
#include "support/temp_dir.h"
#include "wasi/guest.h"

namespace wasi::preview1::test {
namespace {

using wasi::test::HostCall;
using wasi::test::Verdict;

class Hashes {
 public:
  Hashes() {
    wasi::test::set_judge([](const HostCall& call) -> Verdict {
      const std::string_view name = call.name;
      return {.hashes = call.is_own && (name == "getdents64" || name == "lseek")};
    });
  }
  ~Hashes() { wasi::test::set_judge(nullptr); }
  Hashes(const Hashes&) = delete;
  Hashes& operator=(const Hashes&) = delete;
};

struct Listed {
  std::string name;
  std::uint64_t next = 0;
};
std::vector<Listed> list(Guest& guest, std::uint64_t cookie, std::uint32_t room) {
  const std::uint32_t buffer = guest.allocate(room);
  const std::uint32_t out = guest.allocate(4);
  REQUIRE(guest.call("fd_readdir", {kRoot, buffer, room, cookie, out}) == Errno::success);
  const auto used = guest.read<std::uint32_t>(out);
  std::vector<Listed> listed;
  for (std::uint32_t at = 0; at + sizeof(DirEnt) <= used;) {
    const auto entry = guest.read<DirEnt>(buffer + at);
    at += static_cast<std::uint32_t>(sizeof(DirEnt));
    if (at + entry.name_length > used) break;
    listed.push_back({guest.text(buffer + at, entry.name_length), entry.next});
    at += entry.name_length;
  }
  return listed;
}

TEST_CASE("large positions of a file system fit into a program's `long`, and lead back", "[directory]") {
  const wasi::test::TempDir dir;
  constexpr std::size_t kFiles = 100;
  for (std::size_t i = 0; i < kFiles; ++i) dir.write("file" + std::to_string(i), "");
  Guest guest(with_directory(dir.path()));
  const Hashes hashes;
  std::vector<Listed> all;
  std::uint64_t cookie = 0;
  for (std::vector<Listed> part; !(part = list(guest, cookie, 300)).empty(); cookie = part.back().next) {
    all.insert(all.end(), part.begin(), part.end());
  }
  REQUIRE(all.size() == kFiles + 2);
  for (std::size_t i = all.size() - 1; i-- > 0;) {
    // Own numbers: the file system's are none of these.
    CHECK(all[i].next >= 0x4000'0000);
    CHECK(all[i].next <= 0x7FFF'FFFF);
    CHECK(list(guest, all[i].next, 300).front().name == all[i + 1].name);
  }
  CHECK(list(guest, all.back().next, 300).empty());
  const std::uint32_t out = guest.allocate(64);
  CHECK(guest.call("fd_readdir", {kRoot, out, 60, 0x7FFF'FFFF, out + 60}) == Errno::inval);
}

}  // namespace
}  // namespace wasi::preview1::test
