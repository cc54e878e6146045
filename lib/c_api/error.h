// How errors leave the C interface: as the thread's last error, or as an object of their own. Nothing is thrown out.
#pragma once

#include <wasi/error.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "wasirun.h"

struct wasirun_error_t {
  wasi::Error error;
  std::string text;  // the whole of it
};

namespace wasi::c {

void set_last_error(Error error) noexcept;

// Of the exception that is being handled.
Error error_of_current_exception() noexcept;

// The error as an object. Where there is no memory for that, the one that stands for having none.
wasirun_error_t* make_error(Error error) noexcept;

// What `function` returns, or `failed`: for an error that it returns, and whatever is thrown, which is the thread's
// last error then.
template <class R, class F>
R attempt(R failed, F&& function) noexcept {
  try {
    Result<R> result = std::forward<F>(function)();
    if (result) return *std::move(result);
    set_last_error(std::move(result).error());
  } catch (...) {
    set_last_error(error_of_current_exception());
  }
  return failed;
}

// For functions without a result.
template <class F>
void attempt(F&& function) noexcept {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(function)();
    } else {
      Result<void> result = std::forward<F>(function)();
      if (!result) set_last_error(std::move(result).error());
    }
  } catch (...) {
    set_last_error(error_of_current_exception());
  }
}

// The error of `function`, which returns a Result<void>; null when all went well.
template <class F>
wasirun_error_t* tell(F&& function) noexcept {
  try {
    Result<void> result = std::forward<F>(function)();
    return result ? nullptr : make_error(std::move(result).error());
  } catch (...) {
    return make_error(error_of_current_exception());
  }
}

// The error of a NULL for what must not be one.
inline std::unexpected<Error> null_argument(const char* what) {
  return fail(ErrorKind::argument, "the {} must not be NULL", what);
}

}  // namespace wasi::c
