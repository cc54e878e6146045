// What every example begins with: the API, and need(), which gives a result's value or ends the program with its error.
#pragma once

#include <wasi/wasi.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <optional>
#include <string>
#include <utility>

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

template <class T, class E>
T need(std::expected<T, E> result) {
  if (!result) fail(result.error().to_string());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

template <class T>
T need(std::optional<T> value, const char* what) {
  if (!value) fail(what);
  return *std::move(value);
}
