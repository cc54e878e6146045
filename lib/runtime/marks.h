// What the values of an offset table's marks are: where in the module code comes from.
//
// Machine code of a function may have the bodies of others in it, in the place of calls. So a mark is the byte offset
// of an instruction, in its lower 32 bits, and above them which body the instruction is of: 0 is the function's own;
// n + 1 is the one that the function's inlined call number n put there, which stands in turn where *its* mark says.
// Whoever reads marks goes from body to body, and sees the calls that the program made (stack_walk.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace wasi::runtime {

struct FunctionCode;

constexpr std::uint64_t inlined_mark(std::size_t call, std::uint32_t offset) {
  return (std::uint64_t{call} + 1) << 32 | offset;
}
// The number of the inlined call whose body it is; empty: the function's own.
constexpr std::optional<std::size_t> inlined_call_of(std::uint64_t mark) {
  return mark >> 32 != 0 ? std::optional(static_cast<std::size_t>((mark >> 32) - 1)) : std::nullopt;
}
// In the module.
constexpr std::uint64_t offset_of_mark(std::uint64_t mark) { return mark & UINT32_MAX; }

// A call that became the body of its callee.
struct InlinedCall {
  static constexpr std::uint64_t kNoCaller = UINT64_MAX;
  FunctionCode* function = nullptr;  // whose body it is
  // Where the call stands: the mark of an inlined call before this one, or the function's own. kNoCaller: it was a tail
  // call of the function itself, which is not on the stack any more.
  std::uint64_t caller = kNoCaller;
};

}  // namespace wasi::runtime
