// Memories that certainly move when they grow, and what happens at the place that they left.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace wasi::test {

// Moves one memory, which is not reserved beforehand: with explicit checks, and without a small maximum.
class Mover {
 public:
  // `bytes` tells where the memory is.
  explicit Mover(std::function<std::span<std::uint8_t>()> bytes) : bytes_(std::move(bytes)) {}
  ~Mover() {
    for (const auto place : left_) ::munmap(place.data(), place.size());
  }
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  // Calls `grow`, which makes the memory larger. It cannot where it is, and its old place is filled with kStale.
  template <class Grow>
  void move(Grow grow) {
    const std::span<std::uint8_t> before = bytes_();
    // Where this fails something else is in the way already.
    void* const fence = map(before.data() + before.size(), static_cast<std::size_t>(::getpagesize()));
    grow();
    if (fence != MAP_FAILED) ::munmap(fence, static_cast<std::size_t>(::getpagesize()));
    REQUIRE(bytes_().size() > before.size());
    REQUIRE(bytes_().data() != before.data());
    void* const place = map(before.data(), before.size());
    if (place == MAP_FAILED) FAIL("the place that the memory left is taken already");
    std::memset(place, kStale, before.size());
    left_.push_back(before);
  }
  [[nodiscard]] std::size_t moves() const { return left_.size(); }
  // Nobody has written to one of the places.
  [[nodiscard]] bool is_left_alone() const {
    return std::ranges::all_of(
        left_, [](auto place) { return std::ranges::all_of(place, [](auto byte) { return byte == kStale; }); });
  }

 private:
  static constexpr std::uint8_t kStale = 0xEE;
  static void* map(void* address, std::size_t size) {
    return ::mmap(address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  }

  std::function<std::span<std::uint8_t>()> bytes_;
  std::vector<std::span<std::uint8_t>> left_;
};

}  // namespace wasi::test
