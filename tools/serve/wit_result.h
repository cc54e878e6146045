// Results of host functions, expected<T, E>, at the address that the guest passes for them: a byte that says which, and
// at its alignment, which is 4 in all interfaces that there are, the value. An error is a variant: a byte, then a
// string.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "tools/serve/wit_memory.h"

namespace wasirun::serve {

class WitResult {
 public:
  using Written = WitMemory::Lowered<void>;

  WitResult(const WitMemory& memory, std::uint32_t address) : memory_(memory), address_(address) {}

  [[nodiscard]] Written ok() const { return tag(0); }
  template <class T>
  [[nodiscard]] Written ok_number(T value) const {
    if (auto written = tag(0); !written) return written;
    return memory_.write(address_ + kPayload, value);
  }
  [[nodiscard]] Written ok_list(const WitMemory::Lowered<WitList>& list) const {
    if (!list) return std::unexpected(list.error());
    if (auto written = tag(0); !written) return written;
    return memory_.write_list(address_ + kPayload, *list);
  }
  [[nodiscard]] Written error(std::uint8_t which) const {
    if (auto written = tag(1); !written) return written;
    return memory_.write(address_ + kPayload, which);
  }
  [[nodiscard]] Written error(std::uint8_t which, std::string_view text) const {
    const auto list = memory_.lower_bytes(text);
    if (!list) return std::unexpected(list.error());
    if (auto written = error(which); !written) return written;
    return memory_.write_list(address_ + kErrorText, *list);
  }

  static constexpr std::uint64_t kPayload = 4;
  static constexpr std::uint64_t kErrorText = 8;

 private:
  [[nodiscard]] Written tag(std::uint8_t which) const { return memory_.write(address_, which); }

  const WitMemory& memory_;
  std::uint64_t address_;
};

}  // namespace wasirun::serve
