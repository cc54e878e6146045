// Indices that cannot be mixed up: FuncIndex is not LocalIndex, though both are a u32.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace wasi::base {

template <class Tag>
struct Index {
  std::uint32_t value = 0;

  constexpr Index() = default;
  constexpr explicit Index(std::uint32_t v) : value(v) {}
  friend constexpr auto operator<=>(Index, Index) = default;
};

}  // namespace wasi::base

template <class Tag>
struct std::hash<wasi::base::Index<Tag>> {
  std::size_t operator()(wasi::base::Index<Tag> index) const noexcept { return index.value; }
};
