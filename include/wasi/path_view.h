// Paths of the host, as functions take them.
#pragma once

#include <wasi/detail/export.h>

#include <concepts>
#include <string>
#include <string_view>

namespace wasi {

// Text, or a std::filesystem::path: <filesystem>, which is as much to compile as all of this library's headers, is left
// to those who use it. Refers to what it was made of, so it is for parameters only.
class PathView {
 public:
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  PathView(const Text& text) : text_(text) {}  // NOLINT(google-explicit-constructor): text is a path
  template <class Path>
    requires requires(const Path& path) {
      { path.native() } -> std::convertible_to<std::string_view>;
    }
  PathView(const Path& path) : text_(path.native()) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string string() const { return std::string(text_); }

 private:
  std::string_view text_;
};

}  // namespace wasi
