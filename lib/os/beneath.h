// Resolution of guest paths beneath a directory: the one place where a path becomes a file.
//
// Stands under lib/wasi. What it guarantees, however the tree changes meanwhile: no `..`, link, absolute path or
// magic link (/proc/self/fd/3) leads out of `dirfd`. It does so in one of two ways: openat2 with RESOLVE_BENEATH, or,
// where the kernel or a seccomp profile refuses that, a walk of one component at a time on a stack of descriptors, in
// which `..` pops the stack. No path is taken apart and put together again, and no string with a slash in it ever
// reaches a system call with O_NOFOLLOW or AT_SYMLINK_NOFOLLOW, because the kernel follows the link in "name/".
//
// Source: https://man7.org/linux/man-pages/man2/openat2.2.html
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <expected>
#include <string_view>

#include "os/unique_fd.h"

namespace wasi::os {

// Whether a link in the last component is followed; links before it always are.
enum class Follow : std::uint8_t { no, yes };

// What the caller is going to do with the last component.
enum class LeafKind : std::uint8_t {
  lookup,  // use what is there: a trailing slash follows a link, as POSIX has it
  entry,   // create, rename or remove the name itself: nothing is followed because of a trailing slash
};

// The answer: a directory, and a name in it that has no slash and is never "..". Valid while `dirfd` is open.
class Place {
 public:
  // The directory. A path descriptor, or the caller's own.
  [[nodiscard]] int parent() const { return owned_ ? owned_.get() : borrowed_; }
  // NUL-terminated; "." where the path ended in a directory rather than in a name.
  [[nodiscard]] const char* leaf() const { return leaf_; }
  // The path, or a link that led here, ended in a slash: anything but a directory is an error (ENOTDIR).
  [[nodiscard]] bool must_be_directory() const { return must_be_directory_; }

 private:
  friend class Resolver;
  friend class Walk;
  bool set_leaf(std::string_view name);

  int borrowed_ = -1;
  UniqueFd owned_;
  bool must_be_directory_ = false;
  char leaf_[NAME_MAX + 1];
};

// Errors are the host's errno values; ENOTCAPABLE has no number there, so an attempt to leave is EXDEV.
inline constexpr int kEscapes = EXDEV;

// How paths are resolved. Stateless but for the choice of the way; any thread may use it.
class Resolver {
 public:
  // Uses openat2 where the kernel has it, unless `force_walk` asks for the other way.
  explicit Resolver(bool force_walk);

  [[nodiscard]] bool walks() const { return walks_; }

  // Finds the directory and the name that `path` means beneath `dirfd`. The name need not exist.
  [[nodiscard]] std::expected<Place, int> open_beneath(int dirfd, std::string_view path, Follow follow,
                                                       LeafKind kind) const;

  // Opens the file itself with openat's `flags` and `mode`; never waits for the other end of a FIFO when
  // `flags` has O_NONBLOCK. O_CLOEXEC is added.
  [[nodiscard]] std::expected<UniqueFd, int> open_file_beneath(int dirfd, std::string_view path, Follow follow,
                                                               int flags, mode_t mode) const;

 private:
  bool walks_;
};

}  // namespace wasi::os
