// Where exceptions of the standard library end: what the host refuses (memory, threads) becomes an Error.
#pragma once

#include <wasi/error.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

namespace wasi {

// ErrorKind::limit, "out of memory". Allocates nothing itself.
Error out_of_memory();

// ErrorKind::io with the host's words: "the host refused: Resource temporarily unavailable".
Error refused_by_host(const std::system_error& error);

namespace detail {
template <class T>
struct GuardedResult {
  using Type = Result<T>;
};
template <class T>
struct GuardedResult<Result<T>> {
  using Type = Result<T>;
};
}  // namespace detail

// Calls `function` and returns its Result<T>; a plain T becomes one. A failed allocation is out_of_memory(), a
// std::system_error (a thread that could not be started) refused_by_host(). Everything that `function` had made is gone
// by then, as its destructors see to it; what it changed in objects outside must be right at every allocation.
// All other exceptions are mistakes, or the embedder's own, and pass.
template <class F>
auto guarded(F&& function) -> typename detail::GuardedResult<std::invoke_result_t<F>>::Type {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(function)();
      return {};
    } else {
      return std::forward<F>(function)();
    }
  } catch (const std::bad_alloc&) {
    return std::unexpected(out_of_memory());
  } catch (const std::length_error&) {  // a size that no container can have
    return std::unexpected(out_of_memory());
  } catch (const std::system_error& error) {
    return std::unexpected(refused_by_host(error));
  }
}

// The same for a function that returns something else than a Result: what `failed` makes of the Error.
template <class F, class Failed>
std::invoke_result_t<F> guarded(F&& function, Failed&& failed) {
  auto result = guarded([&]() -> Result<std::invoke_result_t<F>> { return std::forward<F>(function)(); });
  if (!result) return std::forward<Failed>(failed)(std::move(result).error());
  return *std::move(result);
}

}  // namespace wasi
