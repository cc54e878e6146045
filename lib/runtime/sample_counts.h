// How often functions of a module, and loops in them, were found running: by the tier policy, which takes samples.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace wasi::runtime {

// Thread-safe.
class SampleCounts {
 public:
  struct Entry {
    std::uint32_t function = 0;
    std::optional<std::uint64_t> loop;  // empty: at a call of the function
    std::uint64_t samples = 0;
  };

  // Does not throw; what there is no memory for is not counted. `loop`: the offset of its instruction in the module.
  void add(std::uint32_t function, std::optional<std::uint64_t> loop) noexcept;
  // By function, then calls, then loops by their offsets.
  [[nodiscard]] std::vector<Entry> entries() const;

 private:
  mutable std::mutex mutex_;
  // By the loop's offset, or, beyond what offsets can be, the function.
  std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace wasi::runtime
