// Files as bytes, mapped read-only.
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace wasi::os {

// A whole file in memory. The bytes live as long as somebody holds the object.
//
// A mapping shows what happens to the file: one that another process shortens while it is mapped makes
// reading it fault, as with every mapped file; programs are replaced by renaming. Guests of this process are kept
// from writing to it: what a program is checked for must still be there when it runs.
class MappedFile {
 public:
  // Errors have the kind `io` and name the path: "cannot open x.wasm: No such file or directory". What
  // cannot be mapped (a pipe, a character device) is read instead. An empty file is an error.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  // What a descriptor gives up to its end, which is read, not mapped; `name` is for messages. Nothing is an error.
  static Result<std::shared_ptr<const MappedFile>> read(int fd, const std::string& name);

  // Whether this process has mapped the file with this identity. Any thread may ask.
  static bool is_mapped(dev_t device, ino_t inode);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  MappedFile() = default;

  std::span<const std::uint8_t> bytes_;
  dev_t device_ = 0;  // of what is mapped
  ino_t inode_ = 0;
  std::unique_ptr<std::uint8_t[]> copy_;  // owns the bytes of what was read instead of mapped
};

}  // namespace wasi::os
