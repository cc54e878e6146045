// A condition in the processor's flags.
#pragma once

#include <cstdint>

#include "jit/common/assembler_x64.h"

namespace wasi::jit::baseline {

// A condition code, and for some comparisons of floats whether the parity flag, which says "unordered", must be looked
// at beside it: `and_ordered` holds where the code does and the flag is clear, `or_unordered` where either says so.
struct Condition {
  enum class Parity : std::uint8_t { ignored, and_ordered, or_unordered };
  x64::CondCode code = x64::CondCode::kNZ;
  Parity parity = Parity::ignored;

  [[nodiscard]] constexpr Condition negated() const {
    const Parity other = parity == Parity::ignored       ? Parity::ignored
                         : parity == Parity::and_ordered ? Parity::or_unordered
                                                         : Parity::and_ordered;
    return {x64::negateCond(code), other};
  }
};

}  // namespace wasi::jit::baseline
