// The fd_ functions: what a descriptor can do by itself.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "wasi/host_file.h"
#include "wasi/table.h"
#include "wasi/transfer.h"

namespace wasi::preview1::impl {
namespace {

constexpr std::uint64_t kMaxOffset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());

Errno last_error() { return errno_from_host(errno); }
Errno checked(int result) { return result == 0 ? Errno::success : last_error(); }

// Guests describe ranges in unsigned numbers that the host's signed ones may not hold.
bool is_range(std::uint64_t offset, std::uint64_t length) {
  return offset <= kMaxOffset && length <= kMaxOffset - offset;
}

Errno position_of(Descriptor& descriptor, off_t offset, int whence, Out<OutU64>& position) {
  if (descriptor.type == FileType::directory) return Errno::isdir;
  // As /dev/null has it.
  const off_t result = descriptor.is_null ? 0 : ::lseek(descriptor.host, offset, whence);
  if (result < 0) return last_error();
  position.set(static_cast<std::uint64_t>(result));
  return Errno::success;
}

Errno give_count(const std::expected<std::size_t, Errno>& moved, Out<OutU32>& count) {
  if (!moved) return moved.error();
  count.set(static_cast<std::uint32_t>(*moved));
  return Errno::success;
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
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return FileType::unknown;
  return file_type(status.st_mode);
}

// Appends what fits of `bytes`; a record that is cut shows the guest that there is more.
class EntryWriter {
 public:
  explicit EntryWriter(const OutBytes& out) : out_(out) {}
  [[nodiscard]] bool is_full() const { return used_ == out_.size; }
  [[nodiscard]] std::size_t used() const { return used_; }
  void append(const void* bytes, std::size_t size) {
    const std::size_t taken = std::min(size, out_.size - used_);
    std::memcpy(out_.data + used_, bytes, taken);
    used_ += taken;
  }

 private:
  const OutBytes& out_;
  std::size_t used_ = 0;
};

}  // namespace

Errno fd_advise(Call&, Fd<right::fd_advise>& fd, U64& offset, U64& length, Enum<Advices, Advice>& advice) {
  if (!is_range(offset.value, length.value)) return Errno::inval;
  static constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                    POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  return errno_from_host(::posix_fadvise(fd->host, static_cast<off_t>(offset.value), static_cast<off_t>(length.value),
                                         kAdvice[static_cast<std::size_t>(advice.value)]));
}

Errno fd_allocate(Call&, Fd<right::fd_allocate>& fd, U64& offset, U64& length) {
  if (!is_range(offset.value, length.value)) return Errno::fbig;
  // Not posix_fallocate: where the file system cannot, that writes to every block instead.
  return checked(::fallocate(fd->host, 0, static_cast<off_t>(offset.value), static_cast<off_t>(length.value)));
}

Errno fd_close(Call& call, Fd<0>& fd) { return call.state.fds.close(fd.number) ? Errno::success : Errno::badf; }

Errno fd_datasync(Call&, Fd<right::fd_datasync>& fd) { return checked(::fdatasync(fd->host)); }

Errno fd_sync(Call&, Fd<right::fd_sync>& fd) { return checked(::fsync(fd->host)); }

Errno fd_fdstat_get(Call&, Fd<0>& fd, Out<OutFdStat>& stat) {
  FdStat result;
  result.type = fd->type;
  result.flags = fd->flags;
  result.rights_base = fd->base;
  result.rights_inheriting = fd->inheriting;
  stat.set(result);
  return Errno::success;
}

Errno fd_fdstat_set_flags(Call&, Fd<right::fd_fdstat_set_flags>& fd, Flags<FdFlags>& flags) {
  const auto wanted = static_cast<std::uint16_t>(flags.value);
  constexpr std::uint16_t kFixed = fdflag::dsync | fdflag::rsync | fdflag::sync;
  if (((wanted ^ fd->flags) & kFixed) != 0) return Errno::notsup;
  // O_NONBLOCK belongs to the open file, which others may share (a terminal, the parent's pipe), so it is only
  // remembered here: transfer.cc acts on it. The same goes for O_APPEND of stdio.
  if (((wanted ^ fd->flags) & fdflag::append) != 0 && fd->is_owned) {
    const int old = ::fcntl(fd->host, F_GETFL);
    const int append = (wanted & fdflag::append) != 0 ? O_APPEND : 0;
    if (old < 0 || ::fcntl(fd->host, F_SETFL, (old & ~O_APPEND) | append) != 0) return last_error();
  }
  fd->flags = wanted;
  return Errno::success;
}

Errno fd_fdstat_set_rights(Call&, Fd<0>& fd, RightsSet& base, RightsSet& inheriting) {
  if ((base.value & ~fd->base) != 0 || (inheriting.value & ~fd->inheriting) != 0) return Errno::notcapable;
  fd->base &= base.value;
  fd->inheriting &= inheriting.value;
  return Errno::success;
}

Errno fd_filestat_get(Call&, Fd<0>& fd, Out<OutFileStat>& stat) {
  FileStat result;
  if (!fd->is_null) {
    struct stat status{};
    if (::fstat(fd->host, &status) != 0) return last_error();
    result = file_stat(status);
  }
  result.type = fd->type;
  stat.set(result);
  return Errno::success;
}

Errno fd_filestat_set_size(Call&, Fd<right::fd_filestat_set_size>& fd, U64& size) {
  if (size.value > kMaxOffset) return Errno::fbig;
  return checked(::ftruncate(fd->host, static_cast<off_t>(size.value)));
}

Errno fd_filestat_set_times(Call&, Fd<right::fd_filestat_set_times>& fd, U64& atim, U64& mtim, Flags<FstFlags>& flags) {
  const auto times = file_times(atim.value, mtim.value, flags.value);
  if (!times) return times.error();
  return checked(::futimens(fd->host, times->data()));
}

Errno fd_read(Call& call, Fd<right::fd_read>& fd, ReadIovs& iovs, Out<OutU32>& nread) {
  const auto moved = read_into(call, *fd, iovs);
  iovs.filled = moved.value_or(0);
  return give_count(moved, nread);
}

Errno fd_pread(Call& call, Fd<right::fd_read | right::fd_seek>& fd, ReadIovs& iovs, U64& offset, Out<OutU32>& nread) {
  const auto moved = read_into(call, *fd, iovs, offset.value);
  iovs.filled = moved.value_or(0);
  return give_count(moved, nread);
}

Errno fd_write(Call& call, Fd<right::fd_write>& fd, WriteIovs& iovs, Out<OutU32>& nwritten) {
  return give_count(write_from(call, *fd, iovs), nwritten);
}

Errno fd_pwrite(Call& call, Fd<right::fd_write | right::fd_seek>& fd, WriteIovs& iovs, U64& offset,
                Out<OutU32>& nwritten) {
  return give_count(write_from(call, *fd, iovs, offset.value), nwritten);
}

Errno fd_prestat_get(Call& call, Fd<0>& fd, Out<OutPreStat>& stat) {
  if (fd->preopen < 0) return Errno::badf;
  PreStat result;
  result.name_length =
      static_cast<std::uint32_t>(call.state.preopen_names[static_cast<std::size_t>(fd->preopen)].size());
  stat.set(result);
  return Errno::success;
}

Errno fd_prestat_dir_name(Call& call, Fd<0>& fd, OutBytes& name) {
  if (fd->preopen < 0) return Errno::badf;
  const std::string& given = call.state.preopen_names[static_cast<std::size_t>(fd->preopen)];
  if (name.size < given.size()) return Errno::nametoolong;
  std::memcpy(name.data, given.data(), given.size());
  return Errno::success;
}

Errno fd_readdir(Call&, Fd<right::fd_readdir>& fd, OutBytes& entries, U64& cookie, Out<OutU32>& used) {
  if (cookie.value > kMaxOffset || ::lseek(fd->host, static_cast<off_t>(cookie.value), SEEK_SET) < 0) {
    return Errno::inval;
  }
  alignas(8) std::uint8_t buffer[kMostEntries];
  const std::size_t room = std::clamp(entries.size, kLeastEntries, kMostEntries);
  EntryWriter writer(entries);
  while (!writer.is_full()) {
    const long got = ::syscall(SYS_getdents64, fd->host, buffer, room);
    // A directory that was removed meanwhile has no entries.
    if (got < 0 && errno != ENOENT) return last_error();
    if (got <= 0) break;
    for (long at = 0; at < got && !writer.is_full();) {
      HostEntry entry;
      std::memcpy(&entry, buffer + at, kHostEntryName);
      const char* name = reinterpret_cast<const char*>(buffer + at + kHostEntryName);
      const std::size_t length = std::strlen(name);
      DirEnt record;
      record.next = static_cast<std::uint64_t>(entry.next);
      record.ino = entry.ino;
      record.name_length = static_cast<std::uint32_t>(length);
      record.type = type_of_entry(fd->host, entry, name);
      writer.append(&record, sizeof(record));
      writer.append(name, length);
      at += entry.size;
    }
  }
  used.set(static_cast<std::uint32_t>(writer.used()));
  return Errno::success;
}

Errno fd_renumber(Call& call, Fd<0>& fd, Fd<0>& to) {
  return call.state.fds.renumber(fd.number, to.number) ? Errno::success : Errno::badf;
}

Errno fd_seek(Call&, Fd<0>& fd, S64& offset, Enum<Whences, Whence>& whence, Out<OutU64>& position) {
  // Asking where one is is telling, which needs less.
  const bool tells = offset.value == 0 && whence.value == Whence::cur;
  const Rights enough = right::fd_seek | (tells ? right::fd_tell : 0);
  if ((fd->base & enough) == 0) return refusal(*fd, right::fd_seek);
  static constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  return position_of(*fd, offset.value, kWhence[static_cast<std::size_t>(whence.value)], position);
}

Errno fd_tell(Call&, Fd<0>& fd, Out<OutU64>& position) {
  if ((fd->base & (right::fd_seek | right::fd_tell)) == 0) return refusal(*fd, right::fd_tell);
  return position_of(*fd, 0, SEEK_CUR, position);
}

}  // namespace wasi::preview1::impl
