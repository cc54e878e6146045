// Binary modules by hand, for forms that wat2wasm cannot write and for those that are wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace wasi::test {

using Bytes = std::vector<std::uint8_t>;

template <class... Parts>
Bytes join(const Parts&... parts) {
  Bytes bytes;
  (bytes.insert(bytes.end(), parts.begin(), parts.end()), ...);
  return bytes;
}

// "60 01 7f  00" -> bytes.
inline Bytes hex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

inline Bytes leb(std::uint64_t value) {
  Bytes bytes;
  do {
    const auto byte = static_cast<std::uint8_t>(value & 0x7F);
    value >>= 7;
    bytes.push_back(value != 0 ? byte | 0x80 : byte);
  } while (value != 0);
  return bytes;
}

inline Bytes signed_leb(std::int64_t value) {
  Bytes bytes;
  for (;;) {
    const auto byte = static_cast<std::uint8_t>(value & 0x7F);
    value >>= 7;
    const bool done = (value == 0 && (byte & 0x40) == 0) || (value == -1 && (byte & 0x40) != 0);
    bytes.push_back(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

// Bytes behind their length: names, bodies, data.
inline Bytes sized(const Bytes& bytes) { return join(leb(bytes.size()), bytes); }
inline Bytes name(std::string_view text) { return sized(Bytes(text.begin(), text.end())); }

// A count and its entries.
inline Bytes vec(std::initializer_list<Bytes> entries) {
  Bytes bytes = leb(entries.size());
  for (const Bytes& entry : entries) bytes = join(bytes, entry);
  return bytes;
}

enum SectionId : std::uint8_t {
  kCustomSection,
  kTypeSection,
  kImportSection,
  kFunctionSection,
  kTableSection,
  kMemorySection,
  kGlobalSection,
  kExportSection,
  kStartSection,
  kElementSection,
  kCodeSection,
  kDataSection,
  kDataCountSection,
  kTagSection
};

inline Bytes section(SectionId id, const Bytes& payload) { return join(Bytes{id}, sized(payload)); }

// The header and sections, in the order given.
inline Bytes module(std::initializer_list<Bytes> sections) {
  Bytes bytes = hex("00 61 73 6d 01 00 00 00");
  for (const Bytes& section : sections) bytes = join(bytes, section);
  return bytes;
}

}  // namespace wasi::test
