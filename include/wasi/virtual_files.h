// Files and directories that are whatever the embedder makes of them: WasiConfig::preopen gives them to guests.
//
// The embedder answers for one name or one piece of data at a time. Paths are resolved here: no function is ever given
// one, nor "." or "..", and nothing leads out of the directory that the guest was given. Descriptors, positions, rights
// and the guest's memory are this library's, too. There are neither symbolic nor hard links.
//
// Functions refuse with the errno of that name: std::errc::no_such_file_or_directory is ENOENT. They run on the thread
// on which the guest runs; a program with threads calls them at once. They may wait, which nothing interrupts, and may
// call the guest. What they throw, a null pointer, or a count beyond what was asked for, the guest sees as EIO.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace wasi {

template <class T>
using VirtualResult = std::expected<T, std::errc>;

// Times are nanoseconds since 1970.
struct VirtualStat {
  std::uint64_t size = 0;
  std::uint64_t id = 0;  // tells files of one tree apart, as an inode does
  std::uint64_t accessed = 0;
  std::uint64_t modified = 0;
  std::uint64_t changed = 0;
};

// A regular file. What is open lives as long as it is open, whatever became of its name.
class VirtualFile {
 public:
  virtual ~VirtualFile() = default;

  virtual VirtualResult<VirtualStat> stat() = 0;
  // Bytes from `offset` on: how many; fewer than asked for is no sign of anything, 0 is the end.
  virtual VirtualResult<std::size_t> read(std::span<std::uint8_t> bytes, std::uint64_t offset) = 0;
  // How many were stored, at least one.
  virtual VirtualResult<std::size_t> write(std::span<const std::uint8_t> bytes, std::uint64_t offset) {
    (void)bytes, (void)offset;
    return std::unexpected(std::errc::read_only_file_system);
  }
  // Cuts off what is behind, or adds zeros.
  virtual VirtualResult<void> set_size(std::uint64_t size) {
    (void)size;
    return std::unexpected(std::errc::read_only_file_system);
  }
  // Empty: stays as it is.
  virtual VirtualResult<void> set_times(std::optional<std::uint64_t> accessed, std::optional<std::uint64_t> modified) {
    (void)accessed, (void)modified;
    return std::unexpected(std::errc::operation_not_permitted);
  }
  virtual VirtualResult<void> sync() { return {}; }
};

class VirtualDirectory;

// What has a name in a directory: one of the two.
struct VirtualNode {
  std::shared_ptr<VirtualFile> file = nullptr;
  std::shared_ptr<VirtualDirectory> directory = nullptr;
};

struct VirtualEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t id = 0;
};

// Names are UTF-8 without slash and NUL, and not empty.
class VirtualDirectory {
 public:
  virtual ~VirtualDirectory() = default;

  virtual VirtualResult<VirtualStat> stat() { return VirtualStat{}; }
  virtual VirtualResult<VirtualNode> find(std::string_view name) = 0;
  // All entries, in any order. Asked when a guest begins to list.
  virtual VirtualResult<std::vector<VirtualEntry>> list() = 0;
  // An empty file, of a name that find() did not know.
  virtual VirtualResult<std::shared_ptr<VirtualFile>> create_file(std::string_view name) {
    (void)name;
    return std::unexpected(std::errc::read_only_file_system);
  }
  virtual VirtualResult<void> create_directory(std::string_view name) {
    (void)name;
    return std::unexpected(std::errc::read_only_file_system);
  }
  // Takes a file's name away, or that of a directory, which has to be empty (std::errc::directory_not_empty).
  virtual VirtualResult<void> remove(std::string_view name) {
    (void)name;
    return std::unexpected(std::errc::read_only_file_system);
  }
  // Gives what is `name` the name `new_name` in `to`, which is this directory or another one of the same preopen, in
  // place of a file, or an empty directory, that has it.
  virtual VirtualResult<void> rename(std::string_view name, VirtualDirectory& to, std::string_view new_name) {
    (void)name, (void)to, (void)new_name;
    return std::unexpected(std::errc::read_only_file_system);
  }
};

}  // namespace wasi
