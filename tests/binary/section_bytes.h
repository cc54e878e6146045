// Bytes of custom sections as tests write them: DWARF's are little-endian numbers and texts that end in a zero.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace wasi::test::section_bytes {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes text(std::string_view words) {
  Bytes bytes(words.begin(), words.end());
  bytes.push_back(0);
  return bytes;
}

inline Bytes u32(std::size_t value) {
  Bytes bytes(4);
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return bytes;
}

// With its length in front, as a unit has it.
inline Bytes sized(const Bytes& content) { return u32(content.size()) + content; }

// A section of that name.
inline Bytes custom(std::string_view name, const Bytes& content) {
  Bytes payload = {static_cast<std::uint8_t>(name.size())};
  payload.insert(payload.end(), name.begin(), name.end());
  payload = payload + content;
  REQUIRE(payload.size() < 128 * 128);
  return Bytes{0, static_cast<std::uint8_t>(payload.size() | 0x80), static_cast<std::uint8_t>(payload.size() >> 7)} +
         payload;
}

}  // namespace wasi::test::section_bytes
