#include "interp/isa.h"

#include <array>
#include <bit>
#include <iterator>

namespace wasi::interp {

namespace {

// Open addressing, at most half full: the translator asks once per instruction.
class FusionTable {
 public:
  FusionTable() {
    for (std::size_t i = 0; i < std::size(kFusions); ++i) {
      const Fusion& fusion = kFusions[i];
      std::size_t at = hash(fusion.first, fusion.second, fusion.temporary);
      while (rows_[at] != kEmpty) at = (at + 1) % kSize;
      rows_[at] = static_cast<std::uint16_t>(i + 1);
    }
  }
  [[nodiscard]] Code find(Code first, Code second, bool temporary) const {
    for (std::size_t at = hash(first, second, temporary); rows_[at] != kEmpty; at = (at + 1) % kSize) {
      const Fusion& fusion = kFusions[rows_[at] - 1];
      if (fusion.first == first && fusion.second == second && fusion.temporary == temporary) return fusion.fused;
    }
    return Code::exit;
  }

 private:
  static constexpr std::uint16_t kEmpty = 0;
  static constexpr std::size_t kSize = std::bit_ceil(std::size(kFusions) * 3);

  static std::size_t hash(Code first, Code second, bool temporary) {
    const std::uint32_t key = static_cast<std::uint32_t>(first) << 16 | static_cast<std::uint32_t>(second) << 1 |
                              static_cast<std::uint32_t>(temporary);
    return static_cast<std::size_t>(key * 0x9E3779B1U >> 12) % kSize;
  }

  std::array<std::uint16_t, kSize> rows_ = {};
};

const FusionTable fusions;

}  // namespace

Code find_fusion(Code first, Code second, bool temporary) { return fusions.find(first, second, temporary); }

}  // namespace wasi::interp
