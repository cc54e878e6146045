#include "tools/serve/manifest_file.h"

#include <fmt/format.h>

#include <cstddef>
#include <fstream>
#include <system_error>

namespace wasirun::serve {

namespace {

constexpr std::size_t kLargest = std::size_t{1} << 20;

}  // namespace

wasi::Result<std::string> read_manifest(const std::filesystem::path& path) {
  const auto fail = [&](wasi::ErrorKind kind, const std::string& why) {
    return std::unexpected(wasi::Error{.kind = kind, .message = fmt::format("{}: {}", path.string(), why)});
  };
  std::error_code failed;
  // Neither a pipe, at which reading would wait, nor a device without an end.
  if (!std::filesystem::is_regular_file(path, failed)) {
    return fail(wasi::ErrorKind::io, failed ? failed.message() : "is no file");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kLargest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return fail(wasi::ErrorKind::io, "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargest) return fail(wasi::ErrorKind::limit, fmt::format("has more than {} bytes", kLargest));
  return text;
}

}  // namespace wasirun::serve
