// Machine code of a few bytes for x86-64, and how it is called.
#pragma once

#include <array>
#include <cstdint>

namespace wasi::test {

// mov eax, value; ret
inline std::array<std::uint8_t, 6> returning(int value) {
  const auto bits = static_cast<std::uint32_t>(value);
  return {0xB8,
          static_cast<std::uint8_t>(bits),
          static_cast<std::uint8_t>(bits >> 8),
          static_cast<std::uint8_t>(bits >> 16),
          static_cast<std::uint8_t>(bits >> 24),
          0xC3};
}

// clang's sanitizer of indirect calls reads in front of a function what only its own compiler puts there.
#if defined(__clang__)
#define WASI_TEST_CALLS_MACHINE_CODE __attribute__((no_sanitize("function")))
#else
#define WASI_TEST_CALLS_MACHINE_CODE
#endif

WASI_TEST_CALLS_MACHINE_CODE inline int call(const std::uint8_t* code, const int* argument = nullptr) {
  return reinterpret_cast<int (*)(const int*)>(reinterpret_cast<std::uintptr_t>(code))(argument);
}

}  // namespace wasi::test
