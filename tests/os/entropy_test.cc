// Random bytes, also where they come of what a thread has in store.
#include "os/entropy.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

namespace wasi::os {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

Bytes ask() {
  Bytes bytes{};
  REQUIRE(random_bytes(bytes) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

TEST_CASE("nothing is given twice, in one thread or in several") {
  std::set<Bytes> given;
  constexpr std::size_t kCount = 2000;  // some refills
  for (std::size_t i = 0; i < kCount; ++i) given.insert(ask());
  std::vector<Bytes> others;
  std::thread([&] {
    for (std::size_t i = 0; i < kCount; ++i) others.push_back(ask());
  }).join();
  given.insert(others.begin(), others.end());
  CHECK(given.size() == 2 * kCount);
}

TEST_CASE("requests of every size are filled, and not beyond") {
  for (std::size_t size = 0; size <= 300; ++size) {
    std::vector<std::uint8_t> bytes(size + 8, 0);
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = random_bytes(std::span(bytes).subspan(done, size - done));
      REQUIRE(count > 0);
      done += static_cast<std::size_t>(count);
    }
    CHECK(std::all_of(bytes.end() - 8, bytes.end(), [](std::uint8_t byte) { return byte == 0; }));
    // Chance would have them all zero once in 2^128.
    if (size >= 16) CHECK(std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; }));
  }
}

TEST_CASE("a child has none of its parent's") {
  for (int i = 0; i < 20; ++i) (void)ask();  // so that there is a store
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  constexpr int kCount = 10;
  if (child == 0) {
    for (int i = 0; i < kCount; ++i) {
      Bytes bytes{};
      if (random_bytes(bytes) != 16 || ::write(ends[1], bytes.data(), bytes.size()) != 16) ::_exit(1);
    }
    ::_exit(0);
  }
  std::set<Bytes> given;
  for (int i = 0; i < kCount; ++i) given.insert(ask());
  ::close(ends[1]);
  Bytes bytes{};
  while (::read(ends[0], bytes.data(), bytes.size()) == 16) given.insert(bytes);
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(given.size() == 2 * kCount);
}

}  // namespace
}  // namespace wasi::os
