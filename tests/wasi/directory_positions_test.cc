// Positions in directories: numbers that a program can keep in 32 bits, and how many are remembered.
#include "wasi/directory_positions.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "world.h"

namespace wasi::preview1 {

std::ostream& operator<<(std::ostream& out, Errno error);

namespace {

using test::Backing;
using test::Guest;
using test::World;

constexpr std::uint64_t kMostKept = 0x7FFF'FFFF;  // a positive `long` of a guest

// What a file system with hashes would say.
std::int64_t hash(std::uint64_t number) {
  return static_cast<std::int64_t>((number * 0x9E37'79B9'7F4A'7C15U >> 1) | std::uint64_t{1} << 62);
}

std::shared_ptr<PositionBudget> budget(std::uint64_t positions = PositionBudget::kDefault) {
  return std::make_shared<PositionBudget>(positions);
}

// The cookies of a listing from `cookie` on.
std::vector<std::uint64_t> list(DirectoryPositions& positions, std::uint64_t cookie,
                                const std::vector<std::int64_t>& found) {
  REQUIRE(positions.go_to(cookie));
  std::vector<std::uint64_t> cookies;
  for (const std::int64_t position : found) {
    const auto next = positions.cookie_of(position);
    REQUIRE(next);
    cookies.push_back(*next);
  }
  return cookies;
}

std::vector<std::int64_t> hashes(std::uint64_t count, std::uint64_t first = 0) {
  std::vector<std::int64_t> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(hash(first + i));
  return all;
}

TEST_CASE("small positions are cookies as they are, large ones get numbers that fit", "[positions]") {
  const auto shared = budget();
  DirectoryPositions positions(shared);
  CHECK(list(positions, 0, {1, 2, 0x3FFF'FFFF}) == std::vector<std::uint64_t>{1, 2, 0x3FFF'FFFF});
  CHECK(positions.go_to(2) == 2);
  // Also those that nobody has given: what is there is the host's matter.
  CHECK(positions.go_to(12345) == 12345);
  const std::vector<std::int64_t> large = {0x4000'0000, 0x7FFF'FFFF, 0x1'0000'0003, INT64_MAX};
  const auto cookies = list(positions, 0, large);
  for (std::size_t i = 0; i < large.size(); ++i) {
    CHECK(cookies[i] <= kMostKept);
    CHECK(positions.go_to(cookies[i]) == large[i]);
  }
  CHECK(positions.go_to(cookies.back() + 1).error() == Errno::inval);
  CHECK(positions.go_to(UINT64_MAX).error() == Errno::inval);
  CHECK(positions.go_to(1ULL << 62).error() == Errno::inval);
}

TEST_CASE("listing again gives the same cookies and takes no room", "[positions]") {
  const auto shared = budget();
  DirectoryPositions positions(shared);
  const auto all = hashes(5000);
  const auto cookies = list(positions, 0, all);
  const std::uint64_t left = shared->left();
  for (int i = 0; i < 10; ++i) CHECK(list(positions, 0, all) == cookies);
  // From the middle on.
  CHECK(list(positions, cookies[999], {all.begin() + 1000, all.end()}) ==
        std::vector<std::uint64_t>(cookies.begin() + 1000, cookies.end()));
  CHECK(shared->left() == left);
  // One in the middle has gone, one has come: the others have what they had.
  auto changed = all;
  changed.erase(changed.begin() + 100);
  changed.insert(changed.begin() + 3000, hash(1'000'000));
  auto expected = cookies;
  expected.erase(expected.begin() + 100);
  auto now = list(positions, 0, changed);
  CHECK(positions.go_to(now[3000]) == hash(1'000'000));
  now.erase(now.begin() + 3000);
  CHECK(now == expected);
  CHECK(shared->left() == left - 1);
}

TEST_CASE("positions that were given hold while others are", "[positions]") {
  DirectoryPositions positions(budget());
  std::map<std::uint64_t, std::int64_t> given;
  // Directories that have nothing in common, one after the other.
  for (std::uint64_t round = 0; round < 20; ++round) {
    const auto all = hashes(100, round * 1000);
    const auto cookies = list(positions, 0, all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(given.try_emplace(cookies[i], all[i]).second);
    }
  }
  for (const auto& [cookie, position] : given) CHECK(positions.go_to(cookie) == position);
}

TEST_CASE("what is beyond the budget is forgotten, the oldest first, and said to be", "[positions]") {
  const auto shared = budget(1000);
  DirectoryPositions positions(shared);
  const auto all = hashes(5000);
  const auto cookies = list(positions, 0, all);
  CHECK(shared->left() == 0);
  const std::size_t kept = 1000 + DirectoryPositions::kAlwaysKept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto position = positions.go_to(cookies[i]);
    if (i + kept >= all.size()) {
      CHECK(position == all[i]);
    } else {
      CHECK(position.error() == Errno::noent);
    }
  }
  {
    // Another directory has none left, and goes on all the same from where it is.
    DirectoryPositions other(shared);
    std::uint64_t cookie = 0;
    for (std::uint64_t i = 0; i < 10'000; i += 100) {
      const auto next = list(other, cookie, hashes(100, i));
      cookie = next[49];
      CHECK(list(other, cookie, hashes(50, i + 50)).back() == next.back());
      cookie = next.back();
    }
    CHECK(other.go_to(cookie) == hash(9999));
  }
  CHECK(shared->left() == 0);
}

TEST_CASE("a directory that is closed gives its part of the budget back", "[positions]") {
  const auto shared = budget(1000);
  {
    DirectoryPositions positions(shared);
    list(positions, 0, hashes(500));
    CHECK(shared->left() == 1000 - (500 - DirectoryPositions::kAlwaysKept));
  }
  CHECK(shared->left() == 1000);
}

// The listing of a directory, piece by piece.
struct Listed {
  std::vector<std::string> names;
  std::vector<std::uint64_t> behind;  // the cookie behind each
};
Listed read(Guest& guest, std::uint32_t fd, std::uint64_t cookie, std::uint32_t room, std::size_t most = SIZE_MAX) {
  constexpr std::uint32_t buffer = 0x10000;
  constexpr std::uint32_t out = 0x1F000;
  Listed listed;
  while (listed.names.size() < most) {
    REQUIRE(guest.call("fd_readdir", {fd, buffer, room, cookie, out}) == Errno::success);
    const auto used = guest.read<std::uint32_t>(out);
    const std::size_t before = listed.names.size();
    for (std::uint32_t at = 0; at + sizeof(DirEnt) <= used && listed.names.size() < most;) {
      const auto entry = guest.read<DirEnt>(buffer + at);
      at += static_cast<std::uint32_t>(sizeof(DirEnt));
      if (at + entry.name_length > used) break;
      listed.names.push_back(guest.text(buffer + at, entry.name_length));
      listed.behind.push_back(cookie = entry.next);
      at += entry.name_length;
    }
    if (listed.names.size() == before) break;
  }
  return listed;
}

TEST_CASE("a program finds its way back to every position of a directory, in 32 bits", "[positions][directory]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  constexpr std::size_t kFiles = 300;
  for (std::size_t i = 0; i < kFiles; ++i) world.write("root/file" + std::to_string(i), "");
  const std::uint32_t fd = world.open(".", oflag::directory, right::fd_readdir);
  const Listed all = read(guest, fd, 0, 500);
  REQUIRE(all.names.size() == kFiles + 2);
  for (const std::uint64_t cookie : all.behind) CHECK(cookie <= kMostKept);
  // Forwards and backwards, with a look at the beginning in between.
  for (std::size_t step = 0; step < all.names.size() - 1; ++step) {
    const std::size_t at = step % 2 == 0 ? step : all.names.size() - 2 - step;
    CHECK(read(guest, fd, all.behind[at], 300, 1).names.front() == all.names[at + 1]);
    CHECK(read(guest, fd, 0, 300, 1).names.front() == all.names.front());
  }
  // Nothing is behind the last.
  CHECK(read(guest, fd, all.behind.back(), 300).names.empty());
  CHECK(read(guest, fd, 0, 500).names == all.names);
}

TEST_CASE("a program that removes what it lists misses nothing, from whichever position it goes on",
          "[positions][directory]") {
  World world(GENERATE(Backing::host, Backing::memory));
  Guest& guest = world.guest;
  constexpr std::size_t kFiles = 200;
  for (std::size_t i = 0; i < kFiles; ++i) world.write("root/file" + std::to_string(i), "");
  const std::uint32_t fd = world.open(".", oflag::directory, right::fd_readdir);
  std::map<std::string, int> seen;
  std::uint64_t cookie = 0;
  while (true) {
    const Listed part = read(guest, fd, cookie, 1000, 20);
    if (part.names.empty()) break;
    // On from the middle of what has been read, all of which is removed.
    const std::size_t used = std::max<std::size_t>(part.names.size() / 2, 1);
    for (std::size_t i = 0; i < part.names.size(); ++i) {
      if (i < used) ++seen[part.names[i]];
      if (i < used && part.names[i].starts_with("file")) {
        REQUIRE(guest.path_call("path_unlink_file", part.names[i]) == Errno::success);
      }
    }
    cookie = part.behind[used - 1];
  }
  CHECK(seen.size() == kFiles + 2);
  for (const auto& [name, times] : seen) {
    INFO(name);
    CHECK(times == 1);
  }
}

}  // namespace
}  // namespace wasi::preview1
