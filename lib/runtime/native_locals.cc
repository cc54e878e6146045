// See native_locals.h.
#include "runtime/native_locals.h"

#include <algorithm>
#include <iterator>

namespace wasi::runtime {

const NativeLocals::Piece* NativeLocals::piece_at(std::uintptr_t pc) const {
  const auto behind = std::ranges::upper_bound(pieces, pc - code, {}, &Piece::begin);
  if (pc < code || behind == pieces.begin() || !std::prev(behind)->is_known) return nullptr;
  return &*std::prev(behind);
}

}  // namespace wasi::runtime
