// See host_directory.h.
#include "wasi/host_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "os/retry.h"
#include "wasi/host_stat.h"
#include "wasi/opened_file.h"

namespace wasi::preview1 {
namespace {

using os::Follow;
using os::LeafKind;
using os::Place;

constexpr mode_t kFileMode = 0666;
constexpr mode_t kDirectoryMode = 0777;

// An error of the resolver's, in which EXDEV is an attempt to leave.
Errno path_error(int host) { return host == os::kEscapes ? Errno::notcapable : errno_from_host(host); }

// The type of what is at `place`, without following it; an error where there is nothing.
std::expected<mode_t, Errno> mode_at(const Place& place) {
  struct stat status{};
  if (os::retry([&] { return ::fstatat(place.parent(), place.leaf(), &status, AT_SYMLINK_NOFOLLOW); }) != 0)
    return std::unexpected(last_error());
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
int open_flags(const Opening& opening) {
  // Never wait for the other end of a FIFO, never become the terminal's process.
  int flags = O_NONBLOCK | O_NOCTTY;
  const bool writes = opening.writes || opening.truncates;
  flags |= writes ? (opening.reads ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (opening.creates) flags |= O_CREAT;
  if (opening.wants_directory) flags |= O_DIRECTORY;
  if (opening.is_exclusive) flags |= O_EXCL;
  if ((opening.flags & fdflag::append) != 0) flags |= O_APPEND;
  if ((opening.flags & fdflag::dsync) != 0) flags |= O_DSYNC;
  // Linux has no O_RSYNC of its own: it means O_SYNC.
  if ((opening.flags & (fdflag::sync | fdflag::rsync)) != 0) flags |= O_SYNC;
  return flags;
}

// The host's directory records, as getdents64 gives them.
struct HostEntry {
  std::uint64_t ino;
  std::int64_t next;
  std::uint16_t size;
  std::uint8_t type;
};
constexpr std::size_t kHostEntryName = 19;  // offset of the name

// Host records are about as long as the guest's, so we ask for as much as the guest has room for: a directory that
// is listed piece by piece is read once, not once per piece.
constexpr std::size_t kLeastEntries = 1024;
constexpr std::size_t kMostEntries = std::size_t{32} << 10;

FileType type_of_entry(int directory, const HostEntry& entry, const char* name) {
  if (entry.type != DT_UNKNOWN) return file_type_of_entry(entry.type);
  struct stat status{};
  if (os::retry([&] { return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW); }) != 0)
    return FileType::unknown;
  return file_type(status.st_mode);
}

}  // namespace

std::expected<Place, Errno> HostDirectory::locate(std::string_view path, bool follows, LeafKind kind) const {
  auto place = resolver_.open_beneath(directory_.get(), path, follows ? Follow::yes : Follow::no, kind);
  if (!place) return std::unexpected(path_error(place.error()));
  return std::move(*place);
}

std::expected<FileStat, Errno> HostDirectory::stat() const { return file_stat(directory_.get()); }

Errno HostDirectory::sync(bool data_only) {
  return checked(data_only ? os::retry([&] { return ::fdatasync(directory_.get()); })
                           : os::retry([&] { return ::fsync(directory_.get()); }));
}

Errno HostDirectory::set_times(const std::array<timespec, 2>& times) {
  return checked(os::retry([&] { return ::futimens(directory_.get(), times.data()); }));
}

std::expected<std::shared_ptr<File>, Errno> HostDirectory::open(std::string_view path, const Opening& opening) {
  auto file = resolver_.open_file_beneath(directory_.get(), path, opening.follows ? Follow::yes : Follow::no,
                                          open_flags(opening), kFileMode);
  if (!file) return std::unexpected(path_error(file.error()));
  HostHandle handle = HostHandle::owned(std::move(*file));
  if (opening.wants_directory) return std::make_shared<HostDirectory>(std::move(handle), resolver_, budget_);
  if (!opening.writes && !opening.truncates) {
    return std::make_shared<OpenedFile>(std::move(handle), resolver_, budget_);
  }
  struct stat status{};
  if (os::retry([&] { return ::fstat(handle.get(), &status); }) != 0) return std::unexpected(last_error());
  if (S_ISREG(status.st_mode) && opening.truncates && os::retry([&] { return ::ftruncate(handle.get(), 0); }) != 0)
    return std::unexpected(last_error());
  return make_host_file(std::move(handle), status);
}

Errno HostDirectory::list(std::uint64_t cookie, std::size_t room, EntrySink& sink) {
  const std::lock_guard lock(listing_);
  const int host = directory_.get();
  const auto begin = positions_.go_to(cookie);
  if (!begin) return begin.error();
  if (::lseek(host, *begin, SEEK_SET) < 0) return last_error();
  alignas(8) std::uint8_t buffer[kMostEntries];
  while (true) {
    const long got = os::retry(
        [&] { return ::syscall(SYS_getdents64, host, buffer, std::clamp(room, kLeastEntries, kMostEntries)); });
    // A directory that was removed meanwhile has no entries.
    if (got < 0 && errno != ENOENT) return last_error();
    if (got <= 0) return Errno::success;
    for (long at = 0; at < got;) {
      HostEntry entry;
      std::memcpy(&entry, buffer + at, kHostEntryName);
      const char* name = reinterpret_cast<const char*>(buffer + at + kHostEntryName);
      const std::string_view text = name;
      const auto next = positions_.cookie_of(entry.next);
      if (!next) return next.error();
      DirEnt record;
      record.next = *next;
      record.ino = entry.ino;
      record.name_length = static_cast<std::uint32_t>(text.size());
      record.type = type_of_entry(host, entry, name);
      if (!sink.add(record, text)) return Errno::success;
      at += entry.size;
    }
  }
}

std::expected<FileStat, Errno> HostDirectory::stat_at(std::string_view path, bool follows) {
  auto place = locate(path, false, LeafKind::lookup);
  if (!place) return std::unexpected(place.error());
  struct stat status{};
  if (os::retry([&] { return ::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW); }) != 0) {
    return std::unexpected(last_error());
  }
  if (S_ISLNK(status.st_mode) && follows) {
    // Asked for only now, since most names are no links and the first look tells.
    place = locate(path, true, LeafKind::lookup);
    if (!place) return std::unexpected(place.error());
    if (os::retry([&] { return ::fstatat(place->parent(), place->leaf(), &status, AT_SYMLINK_NOFOLLOW); }) != 0) {
      return std::unexpected(last_error());
    }
  }
  if (place->must_be_directory() && !S_ISDIR(status.st_mode)) return std::unexpected(Errno::notdir);
  return file_stat(status);
}

Errno HostDirectory::set_times_at(std::string_view path, bool follows, const std::array<timespec, 2>& times) {
  const auto place = locate(path, follows, LeafKind::lookup);
  if (!place) return place.error();
  if (const Errno error = check_slash(*place); error != Errno::success) return error;
  return checked(
      os::retry([&] { return ::utimensat(place->parent(), place->leaf(), times.data(), AT_SYMLINK_NOFOLLOW); }));
}

Errno HostDirectory::create_directory(std::string_view path) {
  const auto place = locate(path, false, LeafKind::entry);
  if (!place) return place.error();
  return checked(os::retry([&] { return ::mkdirat(place->parent(), place->leaf(), kDirectoryMode); }));
}

Errno HostDirectory::remove_directory(std::string_view path) {
  const auto place = locate(path, false, LeafKind::entry);
  if (!place) return place.error();
  return checked(os::retry([&] { return ::unlinkat(place->parent(), place->leaf(), AT_REMOVEDIR); }));
}

Errno HostDirectory::unlink(std::string_view path) {
  const auto place = locate(path, false, LeafKind::entry);
  if (!place) return place.error();
  if (const Errno error = check_slash(*place); error != Errno::success) return error;
  return checked(os::retry([&] { return ::unlinkat(place->parent(), place->leaf(), 0); }));
}

Count HostDirectory::read_link(std::string_view path, std::span<std::uint8_t> target) {
  const auto place = locate(path, false, LeafKind::lookup);
  if (!place) return std::unexpected(place.error());
  if (const Errno error = check_slash(*place); error != Errno::success) return std::unexpected(error);
  // readlinkat refuses an empty buffer, and cuts what does not fit.
  std::uint8_t nothing;
  const ssize_t size = os::retry([&] {
    return ::readlinkat(place->parent(), place->leaf(),
                        reinterpret_cast<char*>(target.empty() ? &nothing : target.data()),
                        std::max<std::size_t>(target.size(), 1));
  });
  if (size < 0) return std::unexpected(last_error());
  return std::min(static_cast<std::size_t>(size), target.size());
}

Errno HostDirectory::symlink(std::string_view target, std::string_view path) {
  // It could never be followed here, and whoever follows it outside would be led astray.
  if (target.starts_with('/')) return Errno::notcapable;
  const auto place = locate(path, false, LeafKind::entry);
  if (!place) return place.error();
  if (const Errno error = check_new_name(*place); error != Errno::success) return error;
  return checked(os::retry([&] { return ::symlinkat(std::string(target).c_str(), place->parent(), place->leaf()); }));
}

Errno HostDirectory::link(std::string_view path, bool follows, Directory& to, std::string_view new_path) {
  const auto* target = dynamic_cast<HostDirectory*>(&to);
  if (target == nullptr) return Errno::xdev;
  const auto from = locate(path, follows, LeafKind::lookup);
  if (!from) return from.error();
  if (const Errno error = check_slash(*from); error != Errno::success) return error;
  const auto place = target->locate(new_path, false, LeafKind::entry);
  if (!place) return place.error();
  if (const Errno error = check_new_name(*place); error != Errno::success) return error;
  return checked(os::retry([&] { return ::linkat(from->parent(), from->leaf(), place->parent(), place->leaf(), 0); }));
}

Errno HostDirectory::rename(std::string_view path, Directory& to, std::string_view new_path) {
  const auto* target = dynamic_cast<HostDirectory*>(&to);
  if (target == nullptr) return Errno::xdev;
  const auto from = locate(path, false, LeafKind::entry);
  if (!from) return from.error();
  if (const Errno error = check_slash(*from); error != Errno::success) return error;
  const auto place = target->locate(new_path, false, LeafKind::entry);
  if (!place) return place.error();
  if (place->must_be_directory()) {
    // Only a directory can get a name with a slash behind it, and only in the place of nothing or of a directory.
    const auto mode = mode_at(*from);
    if (!mode) return mode.error();
    if (!S_ISDIR(*mode)) return Errno::notdir;
    if (const Errno error = check_slash(*place); error != Errno::success && error != Errno::noent) return error;
  }
  return checked(os::retry([&] { return ::renameat(from->parent(), from->leaf(), place->parent(), place->leaf()); }));
}

}  // namespace wasi::preview1
