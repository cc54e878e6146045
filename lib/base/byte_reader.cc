#include "base/byte_reader.h"

#include <fmt/format.h>

namespace wasi::base {

void ByteReader::fail_at(std::uint64_t offset, ErrorKind kind, std::string message) {
  if (!error_) error_ = std::make_unique<Error>(Error{kind, std::move(message), offset});
  pos_ = end_;
}

void ByteReader::fail_end(const char* what) {
  fail(ErrorKind::malformed, fmt::format("unexpected end of {}: expected {}", end_of_, what));
}

void ByteReader::fail_bytes(std::uint64_t count, const char* what) {
  fail(ErrorKind::malformed,
       fmt::format("unexpected end of {}: expected {} bytes of {}, found {}", end_of_, count, what, remaining()));
}

// The longest number has ten bytes: while as many are left, no byte needs a check against the end, and a number
// that is in order in every other way is read without a call. Anything else is left to the checked reader.
template <int kBits>
std::uint64_t ByteReader::unsigned_leb(const char* what) {
  if (remaining() >= 10) [[likely]] {
    const std::uint8_t* p = pos_;
    std::uint64_t value = 0;
    for (int shift = 0; shift < kBits; shift += 7) {
      const std::uint64_t byte = *p++;
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) {
        if (kBits - shift < 7 && byte >> (kBits - shift) != 0) break;
        pos_ = p;
        return value;
      }
    }
  }
  return checked_unsigned_leb(kBits, what);
}
template std::uint64_t ByteReader::unsigned_leb<32>(const char*);
template std::uint64_t ByteReader::unsigned_leb<64>(const char*);

template <int kBits>
std::int64_t ByteReader::signed_leb(const char* what) {
  if (remaining() >= 10) [[likely]] {
    const std::uint8_t* p = pos_;
    std::uint64_t value = 0;
    for (int shift = 0; shift < kBits; shift += 7) {
      const std::uint64_t byte = *p++;
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) {
        const int unused = 64 - shift - 7;
        const std::int64_t number =
            unused > 0 ? static_cast<std::int64_t>(value << unused) >> unused : static_cast<std::int64_t>(value);
        // What the last byte says beyond kBits must repeat the sign.
        const int left = kBits - shift;
        if (left < 7) {
          const int top = static_cast<std::int8_t>(static_cast<std::uint8_t>(byte << 1)) >> left;
          if (top != 0 && top != -1) break;
        }
        pos_ = p;
        return number;
      }
    }
  }
  return checked_signed_leb(kBits, what);
}
template std::int64_t ByteReader::signed_leb<32>(const char*);
template std::int64_t ByteReader::signed_leb<33>(const char*);
template std::int64_t ByteReader::signed_leb<64>(const char*);

std::uint64_t ByteReader::checked_unsigned_leb(int bits, const char* what) {
  const std::uint64_t start = offset();
  std::uint64_t value = 0;
  for (int shift = 0; shift < bits; shift += 7) {
    if (pos_ == end_) return fail_end(what), 0;
    const std::uint8_t byte = *pos_++;
    const int left = bits - shift;
    if (left < 7 && (byte & 0x7F) >> left != 0) {
      return fail_at(start, ErrorKind::malformed, fmt::format("integer too large: expected {} of {} bits", what, bits)),
             0;
    }
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
    if (left <= 7) break;
  }
  fail_at(start, ErrorKind::malformed,
          fmt::format("integer representation too long: expected {} of {} bits", what, bits));
  return 0;
}

std::int64_t ByteReader::checked_signed_leb(int bits, const char* what) {
  const std::uint64_t start = offset();
  std::uint64_t value = 0;
  for (int shift = 0; shift < bits; shift += 7) {
    if (pos_ == end_) return fail_end(what), 0;
    const std::uint8_t byte = *pos_++;
    const int left = bits - shift;
    if (left < 7) {
      // The unused bits of the last byte must repeat the sign bit.
      const int top = static_cast<std::int8_t>(static_cast<std::uint8_t>(byte << 1)) >> left;
      if ((byte & 0x80) == 0 && top != 0 && top != -1) {
        return fail_at(start, ErrorKind::malformed,
                       fmt::format("integer too large: expected {} of {} bits", what, bits)),
               0;
      }
    }
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      const int used = shift + 7;
      return used < 64 ? static_cast<std::int64_t>(value << (64 - used)) >> (64 - used)
                       : static_cast<std::int64_t>(value);
    }
    if (left <= 7) break;
  }
  fail_at(start, ErrorKind::malformed,
          fmt::format("integer representation too long: expected {} of {} bits", what, bits));
  return 0;
}

std::string_view ByteReader::name(const char* what) {
  const std::uint32_t length = u32(what);
  const std::uint64_t start = offset();
  if (length > remaining()) {
    fail(ErrorKind::malformed,
         fmt::format("length out of bounds: {} of {} bytes claimed, {} are left", what, length, remaining()));
    return {};
  }
  const auto data = bytes(length, what);
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (ok() && !is_utf8(text)) {
    fail_at(start, ErrorKind::malformed, fmt::format("malformed UTF-8 encoding: {}", what));
    return {};
  }
  return text;
}

std::size_t utf8_prefix(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto* p = begin;
  const auto* end = p + text.size();
  const auto tail = [&](int i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return p[i] >= low && p[i] <= high;
  };
  while (p != end) {
    const std::uint8_t lead = *p;
    const auto left = end - p;
    if (lead < 0x80) {
      p += 1;
      // Nearly all of most texts is ASCII.
      std::uint64_t eight = 0;
      while (end - p >= 8) {
        std::memcpy(&eight, p, 8);
        if ((eight & 0x8080808080808080ULL) != 0) break;
        p += 8;
      }
    } else if (lead >= 0xC2 && lead <= 0xDF && left >= 2 && tail(1)) {
      p += 2;
    } else if (lead >= 0xE0 && lead <= 0xEF && left >= 3 &&
               tail(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && tail(2)) {
      p += 3;
    } else if (lead >= 0xF0 && lead <= 0xF4 && left >= 4 &&
               tail(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3)) {
      p += 4;
    } else {
      break;
    }
  }
  return static_cast<std::size_t>(p - begin);
}

}  // namespace wasi::base
