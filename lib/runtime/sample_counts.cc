#include "runtime/sample_counts.h"

#include <algorithm>
#include <new>
#include <utility>

namespace wasi::runtime {

void SampleCounts::add(std::uint32_t function, std::optional<std::uint64_t> loop) noexcept {
  constexpr std::uint64_t kFunctions = std::uint64_t{1} << 32;  // modules have less than 4 GiB
  const std::lock_guard lock(mutex_);
  try {
    Entry& entry = entries_[loop ? *loop : kFunctions + function];
    entry.function = function;
    entry.loop = loop;
    entry.samples += 1;
  } catch (const std::bad_alloc&) {
  }
}

std::vector<SampleCounts::Entry> SampleCounts::entries() const {
  std::vector<Entry> entries;
  {
    const std::lock_guard lock(mutex_);
    entries.reserve(entries_.size());
    for (const auto& [key, entry] : entries_) entries.push_back(entry);
  }
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.function, entry.loop); });
  return entries;
}

}  // namespace wasi::runtime
