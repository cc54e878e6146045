// The path_ functions. Every path goes through the resolver (os/beneath.h); what comes back is a directory and a name
// without slashes in it, on which the host's *at calls are safe as long as they follow no link.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/beneath.h"
#include "os/mapped_file.h"
#include "wasi/host_file.h"
#include "wasi/table.h"

namespace wasi::preview1::impl {
namespace {

using os::Follow;
using os::LeafKind;
using os::Place;

constexpr mode_t kFileMode = 0666;
constexpr mode_t kDirectoryMode = 0777;

Errno last_error() { return errno_from_host(errno); }
Errno checked(int result) { return result == 0 ? Errno::success : last_error(); }

// An error of the resolver's, in which EXDEV is an attempt to leave.
Errno path_error(int host) { return host == os::kEscapes ? Errno::notcapable : errno_from_host(host); }

Follow follow(const Flags<LookupFlags>& flags) {
  return flags.has(lookupflag::symlink_follow) ? Follow::yes : Follow::no;
}

std::expected<Place, Errno> locate(Call& call, const Descriptor& directory, const Path& path, Follow follow,
                                   LeafKind kind) {
  auto place = call.state.resolver.open_beneath(directory.host, path.view(), follow, kind);
  if (!place) return std::unexpected(path_error(place.error()));
  return std::move(*place);
}

// The type of what is at `place`, without following it; an error where there is nothing.
std::expected<mode_t, Errno> mode_at(const Place& place) {
  struct stat status{};
  if (::fstatat(place.parent(), place.leaf(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::unexpected(last_error());
  return status.st_mode;
}

// For names that are used as they are: a slash behind them asks for a directory.
Errno check_slash(const Place& place) {
  if (!place.must_be_directory()) return Errno::success;
  const auto mode = mode_at(place);
  if (!mode) return mode.error();
  return S_ISDIR(*mode) ? Errno::success : Errno::notdir;
}

// For names that are to be made, of something that is not a directory: a slash behind them is always an error.
Errno check_new_name(const Place& place) {
  if (!place.must_be_directory()) return Errno::success;
  const auto mode = mode_at(place);
  if (!mode) return mode.error();
  return S_ISDIR(*mode) ? Errno::exist : Errno::notdir;
}

// Truncating is left out: it comes after a look at the file.
int open_flags(const Flags<OFlags>& oflags, const Flags<FdFlags>& fdflags, Rights rights) {
  // Never wait for the other end of a FIFO, never become the terminal's process.
  int flags = O_NONBLOCK | O_NOCTTY;
  const bool writes = (rights & right::fd_write) != 0 || oflags.has(oflag::trunc);
  const bool reads = (rights & (right::fd_read | right::fd_readdir)) != 0;
  flags |= writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (oflags.has(oflag::creat)) flags |= O_CREAT;
  if (oflags.has(oflag::directory)) flags |= O_DIRECTORY;
  if (oflags.has(oflag::excl)) flags |= O_EXCL;
  if (fdflags.has(fdflag::append)) flags |= O_APPEND;
  if (fdflags.has(fdflag::dsync)) flags |= O_DSYNC;
  // Linux has no O_RSYNC of its own: it means O_SYNC.
  if (fdflags.has(fdflag::sync | fdflag::rsync)) flags |= O_SYNC;
  return flags;
}

Rights rights_of_type(FileType type, int host) {
  switch (type) {
    case FileType::directory:
      return right::kOfDirectories;
    case FileType::regular_file:
    case FileType::block_device:
      return right::kOfFiles;
    case FileType::character_device:
      // wasi-libc takes a character device that cannot be sought in for a terminal.
      return right::kOfStreams | (::isatty(host) != 0 ? 0 : right::fd_seek | right::fd_tell);
    case FileType::socket_dgram:
    case FileType::socket_stream:
      return right::kOfSockets;
    default:
      return right::kOfStreams;
  }
}

}  // namespace

Errno path_create_directory(Call& call, Fd<right::path_create_directory>& fd, Path& path) {
  const auto place = locate(call, *fd, path, Follow::no, LeafKind::entry);
  if (!place) return place.error();
  return checked(::mkdirat(place->parent(), place->leaf(), kDirectoryMode));
}

Errno path_filestat_get(Call& call, Fd<right::path_filestat_get>& fd, Flags<LookupFlags>& flags, Path& path,
                        Out<OutFileStat>& stat) {
  auto place = locate(call, *fd, path, Follow::no, LeafKind::lookup);
  if (!place) return place.error();
  struct stat status{};
  if (::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
  if (S_ISLNK(status.st_mode) && follow(flags) == Follow::yes) {
    // Asked for only now, since most names are no links and the first look tells.
    place = locate(call, *fd, path, Follow::yes, LeafKind::lookup);
    if (!place) return place.error();
    if (::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
  }
  if (place->must_be_directory() && !S_ISDIR(status.st_mode)) return Errno::notdir;
  stat.set(file_stat(status));
  return Errno::success;
}

Errno path_filestat_set_times(Call& call, Fd<right::path_filestat_set_times>& fd, Flags<LookupFlags>& flags, Path& path,
                              U64& atim, U64& mtim, Flags<FstFlags>& fstflags) {
  const auto times = file_times(atim.value, mtim.value, fstflags.value);
  if (!times) return times.error();
  const auto place = locate(call, *fd, path, follow(flags), LeafKind::lookup);
  if (!place) return place.error();
  if (const Errno error = check_slash(*place); error != Errno::success) return error;
  return checked(::utimensat(place->parent(), place->leaf(), times->data(), AT_SYMLINK_NOFOLLOW));
}

Errno path_link(Call& call, Fd<right::path_link_source>& old_fd, Flags<LookupFlags>& old_flags, Path& old_path,
                Fd<right::path_link_target>& new_fd, Path& new_path) {
  const auto from = locate(call, *old_fd, old_path, follow(old_flags), LeafKind::lookup);
  if (!from) return from.error();
  if (const Errno error = check_slash(*from); error != Errno::success) return error;
  const auto to = locate(call, *new_fd, new_path, Follow::no, LeafKind::entry);
  if (!to) return to.error();
  if (const Errno error = check_new_name(*to); error != Errno::success) return error;
  return checked(::linkat(from->parent(), from->leaf(), to->parent(), to->leaf(), 0));
}

Errno path_open(Call& call, Fd<right::path_open>& fd, Flags<LookupFlags>& dirflags, Path& path, Flags<OFlags>& oflags,
                RightsSet& base, RightsSet& inheriting, Flags<FdFlags>& fdflags, Out<OutU32>& opened) {
  Rights needed = 0;
  if (oflags.has(oflag::creat)) needed |= right::path_create_file;
  if (oflags.has(oflag::trunc)) needed |= right::path_filestat_set_size;
  if (const Rights missing = needed & ~fd->base; missing != 0) return refusal(*fd, missing);
  if (oflags.has(oflag::creat) && oflags.has(oflag::directory)) return Errno::inval;
  Rights granted = base.value & fd->inheriting;
  if (fd->access == Access::read_only) {
    if ((granted & right::fd_write) != 0) return Errno::rofs;
    granted &= ~right::kChanging;
  }

  // Asked before anything is created or truncated.
  if (call.state.fds.is_full()) return Errno::mfile;
  auto file = call.state.resolver.open_file_beneath(fd->host, path.view(), follow(dirflags),
                                                    open_flags(oflags, fdflags, granted), kFileMode);
  if (!file) return path_error(file.error());
  struct stat status{};
  if (::fstat(file->get(), &status) != 0) return last_error();
  const bool truncates = oflags.has(oflag::trunc);
  if (S_ISREG(status.st_mode) && (truncates || (granted & right::fd_write) != 0)) {
    // As the kernel has it for programs of its own: a guest that could change what it, or another, was loaded from
    // would run what nobody has checked.
    if (os::MappedFile::is_mapped(status.st_dev, status.st_ino)) return Errno::txtbsy;
    if (truncates && ::ftruncate(file->get(), 0) != 0) return last_error();
  }

  Descriptor descriptor;
  descriptor.host = file->get();
  descriptor.is_owned = true;
  descriptor.is_nonblocking = true;
  descriptor.type = file_type(status.st_mode);
  descriptor.access = fd->access;
  descriptor.flags = static_cast<std::uint16_t>(fdflags.value);
  descriptor.base = granted & rights_of_type(descriptor.type, descriptor.host);
  if (descriptor.type == FileType::directory) descriptor.inheriting = inheriting.value & fd->inheriting;
  const auto number = call.state.fds.insert(descriptor);
  if (!number) return Errno::mfile;
  (void)file->release();
  opened.set(*number);
  return Errno::success;
}

Errno path_readlink(Call& call, Fd<right::path_readlink>& fd, Path& path, OutBytes& target, Out<OutU32>& used) {
  const auto place = locate(call, *fd, path, Follow::no, LeafKind::lookup);
  if (!place) return place.error();
  if (const Errno error = check_slash(*place); error != Errno::success) return error;
  // readlinkat refuses an empty buffer, and cuts what does not fit.
  std::uint8_t nothing;
  const ssize_t size =
      ::readlinkat(place->parent(), place->leaf(), reinterpret_cast<char*>(target.size == 0 ? &nothing : target.data),
                   std::max<std::size_t>(target.size, 1));
  if (size < 0) return last_error();
  used.set(static_cast<std::uint32_t>(std::min(static_cast<std::size_t>(size), target.size)));
  return Errno::success;
}

Errno path_remove_directory(Call& call, Fd<right::path_remove_directory>& fd, Path& path) {
  const auto place = locate(call, *fd, path, Follow::no, LeafKind::entry);
  if (!place) return place.error();
  return checked(::unlinkat(place->parent(), place->leaf(), AT_REMOVEDIR));
}

Errno path_rename(Call& call, Fd<right::path_rename_source>& fd, Path& old_path, Fd<right::path_rename_target>& new_fd,
                  Path& new_path) {
  const auto from = locate(call, *fd, old_path, Follow::no, LeafKind::entry);
  if (!from) return from.error();
  if (const Errno error = check_slash(*from); error != Errno::success) return error;
  const auto to = locate(call, *new_fd, new_path, Follow::no, LeafKind::entry);
  if (!to) return to.error();
  if (to->must_be_directory()) {
    // Only a directory can get a name with a slash behind it, and only in the place of nothing or of a directory.
    const auto mode = mode_at(*from);
    if (!mode) return mode.error();
    if (!S_ISDIR(*mode)) return Errno::notdir;
    if (const Errno error = check_slash(*to); error != Errno::success && error != Errno::noent) return error;
  }
  return checked(::renameat(from->parent(), from->leaf(), to->parent(), to->leaf()));
}

Errno path_symlink(Call& call, Path& target, Fd<right::path_symlink>& fd, Path& path) {
  // It could never be followed here, and whoever follows it outside would be led astray.
  if (target.view().starts_with('/')) return Errno::notcapable;
  const auto place = locate(call, *fd, path, Follow::no, LeafKind::entry);
  if (!place) return place.error();
  if (const Errno error = check_new_name(*place); error != Errno::success) return error;
  return checked(::symlinkat(target.text, place->parent(), place->leaf()));
}

Errno path_unlink_file(Call& call, Fd<right::path_unlink_file>& fd, Path& path) {
  const auto place = locate(call, *fd, path, Follow::no, LeafKind::entry);
  if (!place) return place.error();
  if (const Errno error = check_slash(*place); error != Errno::success) return error;
  return checked(::unlinkat(place->parent(), place->leaf(), 0));
}

}  // namespace wasi::preview1::impl
