#include "fuzz/reduce.h"

#include <algorithm>

namespace wasi::test::fuzz {

std::vector<bool> reduce(std::span<const std::uint8_t> bytes, const std::function<bool(const Case&)>& is_wrong,
                         std::size_t most_questions) {
  const std::vector<std::uint32_t> ends = generate(bytes).node_ends;
  std::vector<bool> omitted(ends.size());
  std::size_t questions = 0;
  // Leaves out what is between two nodes, unless that is done already or the case is right then.
  const auto try_without = [&](std::size_t first, std::size_t last) {
    std::vector<bool> more = omitted;
    std::fill(more.begin() + static_cast<std::ptrdiff_t>(first), more.begin() + static_cast<std::ptrdiff_t>(last),
              true);
    if (more == omitted || questions == most_questions) return false;
    ++questions;
    if (!is_wrong(generate(bytes, more))) return false;
    omitted = std::move(more);
    return true;
  };
  // Large pieces first.
  for (std::size_t length = ends.size() / 2; length > 32; length /= 2) {
    for (std::size_t first = 0; first < ends.size(); first += length) {
      try_without(first, std::min(first + length, ends.size()));
    }
  }
  // Then one node after the other, with all that is in it; what is left over sometimes lets others go.
  for (bool has_changed = true; has_changed && questions < most_questions;) {
    has_changed = false;
    for (std::size_t node = 0; node < ends.size();) {
      has_changed = try_without(node, ends[node]) || has_changed;
      node = omitted[node] ? ends[node] : node + 1;
    }
  }
  return omitted;
}

}  // namespace wasi::test::fuzz
