// Hashing of words and identifiers: multiplications of 64 to 128 bits, folded.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace wasi::text {

inline std::uint64_t hash_mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t kFirst = 0x9E3779B97F4A7C15ULL;
  constexpr std::uint64_t kSecond = 0xD6E8FEB86659FD93ULL;
  const auto read = [](const char* at, std::size_t count) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, count);
    return value;
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = seed ^ kFirst;
  while (left > 16) {
    hash = hash_mix(read(at, 8) ^ kSecond, read(at + 8, 8) ^ hash);
    at += 16;
    left -= 16;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = read(at, 8);
    b = read(at + left - 8, 8);
  } else if (left >= 4) {
    a = read(at, 4);
    b = read(at + left - 4, 4);
  } else if (left > 0) {
    a = static_cast<std::uint64_t>(static_cast<unsigned char>(at[0])) << 16 |
        static_cast<std::uint64_t>(static_cast<unsigned char>(at[left / 2])) << 8 |
        static_cast<unsigned char>(at[left - 1]);
  }
  return hash_mix(kSecond ^ text.size(), hash_mix(a ^ kSecond, b ^ hash));
}

}  // namespace wasi::text
