// Whether the tests are built with the address or the thread sanitizer: memory is another then, and everything slow.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define WASI_TEST_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WASI_TEST_THREAD_SANITIZER 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WASI_TEST_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define WASI_TEST_THREAD_SANITIZER 1
#endif
#endif
#if defined(WASI_TEST_ADDRESS_SANITIZER) || defined(WASI_TEST_THREAD_SANITIZER)
#define WASI_TEST_SANITIZER 1
#endif

namespace wasi::test {

// Of long lists of values that machine code is run on, which no sanitizer sees, so many are one where what has made the
// code is looked at by one.
#if defined(WASI_TEST_SANITIZER)
inline constexpr std::size_t kValueStep = 11;
#else
inline constexpr std::size_t kValueStep = 1;
#endif

}  // namespace wasi::test
