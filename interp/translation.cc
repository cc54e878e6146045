#include "interp/translation.h"

namespace wasi::interp {

namespace {

std::uint64_t read_leb(const std::uint8_t*& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
}

}  // namespace

// Called from the fault handler, too: neither allocates nor locks.
std::optional<std::uint64_t> Translation::offset_of(const std::uint8_t* ip) const {
  if (!contains(reinterpret_cast<std::uintptr_t>(ip))) return std::nullopt;
  const auto wanted = static_cast<std::uint64_t>(ip - code);
  std::uint64_t position = 0;
  std::uint64_t offset = 0;
  for (const std::uint8_t* at = offsets; at != offsets + offsets_size;) {
    position += read_leb(at);
    offset += read_leb(at);
    if (position == wanted) return offset;
    if (position > wanted) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace wasi::interp
