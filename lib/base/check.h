// CHECK: an invariant on which the sandbox rests. It stays in release builds.
#pragma once

namespace wasi::base {

// Prints the failed condition with its place and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace wasi::base

#define WASI_CHECK(condition)                                               \
  (__builtin_expect(static_cast<bool>(condition), 1) ? static_cast<void>(0) \
                                                     : ::wasi::base::check_failed(#condition, __FILE__, __LINE__))
