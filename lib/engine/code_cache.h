// Machine code kept from one run to the next: a directory of compiled modules (jit/common/code_image.h).
//
// A file is named by a hash of the module and of all that its code depends on, and holds the module too: what is found
// by the hash is compared with it, byte by byte, so that no collision, found or made, runs one module's code for
// another. A large module that is read from a file is found without reading it, too, where the same code of it was
// found by the hash before: by what the file system says of it (os/file_identity.h), which is the name of a symbolic
// link to the code's file. That is for the time until the machine is started anew; and all that is used then, the
// module too, is the cache's. In the same way memory and code of a large file, whose checksums were all looked at once,
// are known to be undamaged: what the file system said of it then is the target of a link beside it. Files are written
// beside their place and renamed, so every process sees whole ones, and whoever has one open keeps it; what a process
// that was killed leaves is removed later. The directory and its files must be the user's own and nobody else's to
// write. Whatever goes wrong means that there is no code, never that a program does not run.
//
// Thread-safe, and safe beside any number of processes.
#pragma once

#include <wasi/error.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jit/common/code_image.h"
#include "os/file_identity.h"
#include "os/unique_fd.h"

namespace wasi::detail {

class CodeCache {
 public:
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::chrono::system_clock::time_point used;  // last
  };
  struct Found {
    std::shared_ptr<const jit::CodeImage> image;
    std::uint64_t inode = 0;  // which file it was
    std::string name = {};
    std::optional<os::FileIdentity> unchecked = {};  // it is worth a note_sound(), after which nothing is looked at
  };

  // Nothing is looked at, or made, before it is needed. `limit`: of all files together, in bytes.
  CodeCache(std::filesystem::path directory, std::uint64_t limit) : directory_(std::move(directory)), limit_(limit) {}

  // $XDG_CACHE_HOME/wasirun, or ~/.cache/wasirun; empty where neither is known, or the process runs with other rights
  // than those of who started it.
  static std::optional<std::filesystem::path> default_directory();

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  // The file's name.
  static std::string name_of(const jit::CodeTarget& target, std::span<const std::uint8_t> module);
  // The code of this very module; it counts as used now. Nothing where there is none, or none that can be used.
  std::optional<Found> find(const std::string& name, std::span<const std::uint8_t> module) const;
  // Which file find() would look at; 0: none.
  std::uint64_t inode_of(const std::string& name) const;
  // What was noted last of the module file, which is settled, for code as `options` say; it counts as used now. The
  // image's module has not been looked at.
  std::optional<Found> find_file(const os::FileIdentity& file, std::string_view options) const;
  // The module of the file is that of the code of this name. Where that cannot be noted it is not.
  void note_file(const os::FileIdentity& file, std::string_view options, const std::string& name) const;
  // Looks at all memory and code of what was found, which takes a millisecond or two, and notes that they are
  // undamaged, for all who find this very file from now on.
  void note_sound(const Found& found) const;
  // In the place of what there was, and removes what was not used for the longest time beyond the limit.
  Result<void> store(const std::string& name, std::span<const std::uint8_t> bytes) const;

  // What is there, last used first; nothing where there is no directory.
  [[nodiscard]] Result<std::vector<File>> files() const;
  // Removes them all.
  Result<void> clear() const;

 private:
  enum class Missing : std::uint8_t { is_an_error, is_made };
  [[nodiscard]] Result<os::UniqueFd> open_directory(Missing missing) const;
  [[nodiscard]] Result<std::vector<File>> list(int directory, bool removes_leftovers) const;
  [[nodiscard]] std::optional<Found> open_entry(int directory, const std::string& name) const;
  void remove_oldest(int directory) const;

  const std::filesystem::path directory_;
  const std::uint64_t limit_;
};

}  // namespace wasi::detail
