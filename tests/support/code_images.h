// Compiled modules whose content was changed, with checksums as if it had been written so.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "jit/common/code_image_format.h"

namespace wasi::test {

inline jit::image::Header image_header(std::span<const std::uint8_t> bytes) {
  jit::image::Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// Of units and of the index, as far as what they are of lies within the bytes, which have a header.
inline void renew_checksums(std::vector<std::uint8_t>& bytes) {
  jit::image::Header header = image_header(bytes);
  const std::span<const std::uint8_t> all = bytes;
  const auto has = [&](std::uint64_t offset, std::uint64_t size) {
    return offset <= all.size() && size <= all.size() - offset;
  };
  for (std::uint64_t i = 0; i < header.units.size / sizeof(jit::image::Unit); ++i) {
    const std::uint64_t at = header.units.offset + i * sizeof(jit::image::Unit);
    if (!has(at, sizeof(jit::image::Unit))) break;
    jit::image::Unit unit;
    std::memcpy(&unit, bytes.data() + at, sizeof(unit));
    const std::uint64_t details = header.details.offset + unit.details_offset;
    const std::uint64_t code = header.code.offset + unit.code_offset;
    if (!has(details, unit.details_bytes) || !has(code, unit.code_bytes)) continue;
    unit.checksum = base::checksum({all.subspan(details, unit.details_bytes), all.subspan(code, unit.code_bytes)});
    std::memcpy(bytes.data() + at, &unit, sizeof(unit));
  }
  header = image_header(bytes);
  header.checksum = 0;
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (!has(0, header.details.offset)) return;
  header.checksum = base::checksum(all.first(header.details.offset));
  std::memcpy(bytes.data(), &header, sizeof(header));
}

}  // namespace wasi::test
