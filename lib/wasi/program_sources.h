// Where a program's time and randomness come from, where that is the embedder and not the host.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>

#include "wasi/abi.h"

namespace wasi::preview1 {

// Functions of the embedder's; what they throw is EIO.
struct TimeSource {
  std::function<std::uint64_t()> realtime;   // empty: the host's
  std::function<std::uint64_t()> monotonic;  // the same; also stands for the processor's time
  std::uint64_t resolution = 1;              // of those that are given, in nanoseconds
  std::function<void(std::uint64_t)> sleep;  // empty: the host waits

  // That of a clock; null: the host's.
  [[nodiscard]] const std::function<std::uint64_t()>* of(ClockId clock) const {
    const auto& function = clock == ClockId::realtime ? realtime : monotonic;
    return function ? &function : nullptr;
  }
  // Whether timeouts are anything but the host's clocks'.
  [[nodiscard]] bool is_given() const { return realtime || monotonic || sleep; }
};

std::expected<std::uint64_t, Errno> ask(const std::function<std::uint64_t()>& clock);

struct RandomSource {
  std::function<void(std::span<std::uint8_t>)> fill;  // empty: by `seed`
  std::optional<std::uint64_t> seed = {};             // empty: the host's, where `fill` is, too
};

// The randomness of one program. Thread-safe.
class Randomness {
 public:
  explicit Randomness(RandomSource source);
  [[nodiscard]] bool is_hosts() const { return !fill_ && engine_ == nullptr; }
  // Where it is not.
  Errno fill(std::span<std::uint8_t> bytes);

 private:
  const std::function<void(std::span<std::uint8_t>)> fill_;
  std::mutex mutex_;  // of the engine
  // Whose numbers are the standard's, and so the same everywhere.
  const std::unique_ptr<std::mt19937_64> engine_;
};

}  // namespace wasi::preview1
