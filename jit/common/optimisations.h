// What compilers do beyond the simplest code, as tables that each of them has: a row has a name, a switch that turns it
// off, and a counter that says how often it applied. (jit/baseline/optimisations.def, unit_optimisations.def.)
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wasi::jit {

struct OptimisationInfo {
  std::string_view name;
  std::string_view counted;
  bool is_cost = false;  // what safety takes: it has no switch
};

// Of the rows of a table, as an enum has them.
template <class Row, std::size_t kRows>
class OptimisationSet {
 public:
  static_assert(kRows <= 32);
  constexpr OptimisationSet() = default;
  static constexpr OptimisationSet all() {
    OptimisationSet set;
    set.bits_ = static_cast<std::uint32_t>((std::uint64_t{1} << kRows) - 1);
    return set;
  }
  constexpr void add(Row row) { bits_ |= 1U << static_cast<unsigned>(row); }
  [[nodiscard]] constexpr bool has(Row row) const { return (bits_ >> static_cast<unsigned>(row) & 1) != 0; }

 private:
  std::uint32_t bits_ = 0;
};

// How often each applied, of all functions that were compiled with it. Thread-safe.
template <std::size_t kRows>
using OptimisationCounts = std::array<std::atomic<std::uint64_t>, kRows>;

}  // namespace wasi::jit
