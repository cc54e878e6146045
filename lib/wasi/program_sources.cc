// See program_sources.h.
#include "wasi/program_sources.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace wasi::preview1 {

std::expected<std::uint64_t, Errno> ask(const std::function<std::uint64_t()>& clock) {
  try {
    return clock();
  } catch (...) {
    return std::unexpected(Errno::io);
  }
}

Randomness::Randomness(RandomSource source)
    : fill_(std::move(source.fill)),
      engine_(!fill_ && source.seed ? std::make_unique<std::mt19937_64>(*source.seed) : nullptr) {}

Errno Randomness::fill(std::span<std::uint8_t> bytes) {
  if (fill_) {
    try {
      fill_(bytes);
      return Errno::success;
    } catch (...) {
      return Errno::io;
    }
  }
  const std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    const std::uint64_t number = (*engine_)();
    const std::size_t taken = std::min(bytes.size(), sizeof(number));
    std::memcpy(bytes.data(), &number, taken);
    bytes = bytes.subspan(taken);
  }
  return Errno::success;
}

}  // namespace wasi::preview1
