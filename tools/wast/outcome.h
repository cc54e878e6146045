// What became of one command of a script, and the sums of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace wasi::spec {

enum class Status : std::uint8_t { passed, failed };
inline constexpr std::size_t kStatusCount = 2;

struct Outcome {
  Status status = Status::passed;
  std::string detail;  // of a failure: what was expected, what came instead

  static Outcome pass() { return {}; }
  static Outcome fail(std::string detail) { return {Status::failed, std::move(detail)}; }
};

struct Tally {
  std::array<std::uint64_t, kStatusCount> counts{};

  void add(Status status) { ++counts[static_cast<std::size_t>(status)]; }
  void add(const Tally& other) {
    for (std::size_t i = 0; i < kStatusCount; ++i) counts[i] += other.counts[i];
  }
  [[nodiscard]] std::uint64_t operator[](Status status) const { return counts[static_cast<std::size_t>(status)]; }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts) sum += count;
    return sum;
  }
};

}  // namespace wasi::spec
