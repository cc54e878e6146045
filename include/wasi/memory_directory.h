// Directories that lie in memory instead of on the host.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wasi {

namespace detail {
struct Internals;
}

namespace preview1::memory {
class Tree;
}

// A tree of files in memory. WasiConfig::preopen gives it to guests: read-only, files that the embedder has put there;
// writable, a place whose contents it reads afterwards, or that guests share.
//
// A handle: copies are the same tree, which lives as long as a handle or a guest that has it. Thread-safe, also while
// guests use it. Paths count from the root, "etc/config.json" or "/etc/config.json"; directories above are made.
class MemoryDirectory {
 public:
  static constexpr std::uint64_t kDefaultLimit = std::uint64_t{64} << 20;

  // `limit`: the most bytes that what guests make in it may take (ENOSPC): data by pieces of 4 KiB, and some hundred
  // bytes for each file, directory, link and name. What the embedder adds does not count.
  WASI_API explicit MemoryDirectory(std::uint64_t limit = kDefaultLimit);
  MemoryDirectory(const MemoryDirectory&) = default;  // no moves: a moved-from handle stays valid
  MemoryDirectory& operator=(const MemoryDirectory&) = default;

  // A file with these bytes, in place of one that is there. A guest that writes to it changes its own copy of the 4 KiB
  // around, never the bytes that were given.
  WASI_API Result<void> add_file(std::string_view path, std::string text) const;
  // Bytes that are not copied: `owner` is kept as long as they are needed, and they must not change.
  WASI_API Result<void> add_file(std::string_view path, std::span<const std::uint8_t> bytes,
                                 std::shared_ptr<const void> owner) const;
  WASI_API Result<void> add_directory(std::string_view path) const;
  // A symbolic link. Guests follow it beneath the directory that they were given, and no absolute one.
  WASI_API Result<void> add_symlink(std::string_view path, std::string_view target) const;

  // What is in a file; links are followed. Longer files than `most` are an error: a guest may make one as long as it
  // likes, since holes take no room.
  [[nodiscard]] WASI_API Result<std::string> read_file(std::string_view path,
                                                       std::uint64_t most = std::uint64_t{1} << 30) const;
  // How much of the limit is in use.
  [[nodiscard]] WASI_API std::uint64_t used() const;

 private:
  friend struct detail::Internals;
  std::shared_ptr<preview1::memory::Tree> tree_;
};

}  // namespace wasi
