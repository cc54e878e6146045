// Files as bytes, mapped read-only.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace wasi::os {

// A whole file in memory. The bytes live as long as somebody holds the object.
//
// A mapping shows what happens to the file: one that another process shortens while it is mapped makes
// reading it fault, as with every mapped file; programs are replaced by renaming.
class MappedFile {
 public:
  // Errors have the kind `io` and name the path: "cannot open x.wasm: No such file or directory". What
  // cannot be mapped (a pipe, a character device) is read instead. An empty file is an error.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  MappedFile() = default;

  std::span<const std::uint8_t> bytes_;
  std::unique_ptr<std::uint8_t[]> copy_;  // owns the bytes of what was read instead of mapped
};

}  // namespace wasi::os
