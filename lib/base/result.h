// Results: how every library function that can fail says so.
#pragma once

#include <fmt/format.h>
#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace wasi {

// fail(kind, "table {} of {}", i, n): an Error ready to be returned as any Result<T>.
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...), {}, {}});
}

// The same with the byte offset at which the module is wrong.
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail_at(std::uint64_t offset, ErrorKind kind, fmt::format_string<Args...> format,
                                             Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...), offset, {}});
}

}  // namespace wasi

// The one macro for propagating errors: `auto x = WASI_TRY(f());` returns f's error from here, or
// yields its value. A statement expression, which both of our compilers have.
#define WASI_TRY(...)                                                                           \
  ({                                                                                            \
    auto&& wasi_try_result = (__VA_ARGS__);                                                     \
    if (!wasi_try_result) [[unlikely]]                                                          \
      return std::unexpected(std::forward<decltype(wasi_try_result)>(wasi_try_result).error()); \
    *std::forward<decltype(wasi_try_result)>(wasi_try_result);                                  \
  })
