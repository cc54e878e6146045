// Files as bytes, in the memory that the system keeps them in: nothing is read before it is looked at.
//
// So the file must stay as it is for as long as it is mapped: what somebody changes in it changes here, and where
// somebody cuts it off, looking is a fault that ends the process. Files that are replaced as a whole, by a rename, are
// no trouble. Whatever cannot rely on that is read: file_content.h.
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "os/unique_fd.h"

namespace wasi::os {

enum class MappedFor : std::uint8_t { reading, executing };

class FileMapping {
 public:
  FileMapping() = default;
  ~FileMapping() { release(); }
  FileMapping(FileMapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  FileMapping& operator=(FileMapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  // `offset` is in whole pages; not empty. `io` error where the host refuses, as it may for executing.
  static Result<FileMapping> map(int fd, std::uint64_t offset, std::size_t size, MappedFor use);

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  FileMapping(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  void release();

  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

struct RegularFile {
  UniqueFd fd;
  std::uint64_t size = 0;
};

// Opens what has to be a regular file, for reading. `io` error that names the path.
Result<RegularFile> open_regular(const std::string& path);

}  // namespace wasi::os
