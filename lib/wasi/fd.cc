// The fd_ functions: what a descriptor can do by itself.
#include <algorithm>
#include <limits>

#include "wasi/host_stat.h"
#include "wasi/table.h"
#include "wasi/transfer.h"

namespace wasi::preview1::impl {
namespace {

constexpr std::uint64_t kMaxOffset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());

// Guests describe ranges in unsigned numbers that the host's signed ones may not hold.
bool is_range(std::uint64_t offset, std::uint64_t length) {
  return offset <= kMaxOffset && length <= kMaxOffset - offset;
}

Errno position_of(Descriptor& descriptor, std::int64_t offset, Whence whence, Out<OutU64>& position) {
  if (descriptor.type() == FileType::directory) return Errno::isdir;
  const auto result = descriptor.file->seek(offset, whence);
  if (!result) return result.error();
  position.set(*result);
  return Errno::success;
}

Errno give_count(const Count& moved, Out<OutU32>& count) {
  if (!moved) return moved.error();
  count.set(static_cast<std::uint32_t>(*moved));
  return Errno::success;
}

// Appends what fits; a record that is cut shows the guest that there is more.
class EntryWriter final : public EntrySink {
 public:
  explicit EntryWriter(const OutBytes& out) : out_(out) {}
  [[nodiscard]] std::size_t used() const { return used_; }
  bool add(const DirEnt& entry, std::string_view name) override {
    append(&entry, sizeof(entry));
    append(name.data(), name.size());
    return used_ < out_.size;
  }

 private:
  void append(const void* bytes, std::size_t size) {
    const std::size_t taken = std::min(size, out_.size - used_);
    std::memcpy(out_.bytes().data() + used_, bytes, taken);
    used_ += taken;
  }

  const OutBytes& out_;
  std::size_t used_ = 0;
};

}  // namespace

Errno fd_advise(Call&, Fd<right::fd_advise>& fd, U64& offset, U64& length, Enum<Advices, Advice>& advice) {
  if (!is_range(offset.value, length.value)) return Errno::inval;
  return fd->file->advise(offset.value, length.value, advice.value);
}

Errno fd_allocate(Call&, Fd<right::fd_allocate>& fd, U64& offset, U64& length) {
  if (!is_range(offset.value, length.value)) return Errno::fbig;
  // All of the range, since what is in it may be holes.
  return within_quota(fd->quota, length.value, [&] { return fd->file->allocate(offset.value, length.value); });
}

Errno fd_close(Call&, TakenFd& fd) {
  // Where another thread is using it, it is closed when that is done, and nobody learns what came of it.
  const bool is_last = fd.descriptor.use_count() == 1 && fd.descriptor->file.use_count() == 1;
  return is_last ? fd.descriptor->file->close() : Errno::success;
}

Errno fd_datasync(Call&, Fd<right::fd_datasync>& fd) { return fd->file->sync(true); }

Errno fd_sync(Call&, Fd<right::fd_sync>& fd) { return fd->file->sync(false); }

Errno fd_fdstat_get(Call&, Fd<0>& fd, Out<OutFdStat>& stat) {
  if (fd->becomes_nonblocking) {
    fd->becomes_nonblocking = false;
    fd->flags |= fdflag::nonblock;
  }
  FdStat result;
  result.type = fd->type();
  result.flags = fd->flags;
  result.rights_base = fd->may(fd->base);
  result.rights_inheriting = fd->told_inheriting();
  stat.set(result);
  return Errno::success;
}

Errno fd_fdstat_set_flags(Call&, Fd<right::fd_fdstat_set_flags>& fd, Flags<FdFlags>& flags) {
  const auto wanted = static_cast<std::uint16_t>(flags.value);
  constexpr std::uint16_t kFixed = fdflag::dsync | fdflag::rsync | fdflag::sync;
  if (((wanted ^ fd->flags) & kFixed) != 0) return Errno::notsup;
  // O_NONBLOCK belongs to the open file, which others may share (a terminal, the parent's pipe), so it is only
  // remembered here: transfer.cc acts on it.
  if (((wanted ^ fd->flags) & fdflag::append) != 0) {
    if (const Errno error = fd->file->set_append((wanted & fdflag::append) != 0); error != Errno::success) return error;
  }
  fd->becomes_nonblocking = false;
  fd->flags = wanted;
  return Errno::success;
}

Errno fd_fdstat_set_rights(Call&, Fd<0>& fd, RightsSet& base, RightsSet& inheriting) {
  if ((base.value & ~fd->may(fd->base)) != 0) return Errno::notcapable;
  if ((inheriting.value & ~fd->told_inheriting()) != 0) return Errno::notcapable;
  fd->base &= base.value;
  fd->inheriting &= inheriting.value;
  // Who speaks of rights gets what the interface says.
  fd->tacit = Rights{0};
  fd->tacit_inheriting = Rights{0};
  return Errno::success;
}

Errno fd_filestat_get(Call&, Fd<0>& fd, Out<OutFileStat>& stat) {
  const auto result = fd->file->stat();
  if (!result) return result.error();
  stat.set(*result);
  return Errno::success;
}

Errno fd_filestat_set_size(Call&, Fd<right::fd_filestat_set_size>& fd, U64& size) {
  if (size.value > kMaxOffset) return Errno::fbig;
  std::uint64_t growth = 0;
  if (fd->quota != nullptr) {
    const auto stat = fd->file->stat();
    if (!stat) return stat.error();
    growth = size.value - std::min(size.value, stat->size);
  }
  return within_quota(fd->quota, growth, [&] { return fd->file->set_size(size.value); });
}

Errno fd_filestat_set_times(Call&, Fd<right::fd_filestat_set_times>& fd, U64& atim, U64& mtim, Flags<FstFlags>& flags) {
  const auto times = file_times(atim.value, mtim.value, flags.value);
  if (!times) return times.error();
  return fd->file->set_times(*times);
}

Errno fd_read(Call& call, Fd<right::fd_read>& fd, ReadIovs& iovs, Out<OutU32>& nread) {
  return give_count(read_into(call, *fd, iovs), nread);
}

Errno fd_pread(Call& call, Fd<right::fd_read | right::fd_seek>& fd, ReadIovs& iovs, U64& offset, Out<OutU32>& nread) {
  return give_count(read_into(call, *fd, iovs, offset.value), nread);
}

Errno fd_write(Call& call, Fd<right::fd_write>& fd, WriteIovs& iovs, Out<OutU32>& nwritten) {
  return give_count(write_from(call, *fd, iovs), nwritten);
}

Errno fd_pwrite(Call& call, Fd<right::fd_write | right::fd_seek>& fd, WriteIovs& iovs, U64& offset,
                Out<OutU32>& nwritten) {
  return give_count(write_from(call, *fd, iovs, offset.value), nwritten);
}

Errno fd_prestat_get(Call& call, Fd<0>& fd, Out<OutPreStat>& stat) {
  PreStat result;
  // Programs look through their descriptors from 3 on, and EBADF would be the end of it: they would not find the
  // directories behind the sockets. What is no directory they pass over.
  if (fd->is_given_socket) {
    result.tag = kPreStatSocket;
    stat.set(result);
    return Errno::success;
  }
  if (fd->preopen < 0) return Errno::badf;
  result.name_length =
      static_cast<std::uint32_t>(call.state.preopen_names[static_cast<std::size_t>(fd->preopen)].size());
  stat.set(result);
  return Errno::success;
}

Errno fd_prestat_dir_name(Call& call, Fd<0>& fd, OutBytes& name) {
  if (fd->preopen < 0) return Errno::badf;
  const std::string& given = call.state.preopen_names[static_cast<std::size_t>(fd->preopen)];
  if (name.size < given.size()) return Errno::nametoolong;
  std::memcpy(name.bytes().data(), given.data(), given.size());
  return Errno::success;
}

Errno fd_readdir(Call&, Dir<right::fd_readdir>& fd, OutEntries& entries, U64& cookie, Out<OutU32>& used) {
  EntryWriter writer(entries);
  if (entries.size != 0) {
    if (const Errno error = fd->list(cookie.value, entries.size, writer); error != Errno::success) return error;
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
  if (fd->missing(enough) == enough) return refusal(*fd, right::fd_seek);
  return position_of(*fd, offset.value, whence.value, position);
}

Errno fd_tell(Call&, Fd<0>& fd, Out<OutU64>& position) {
  constexpr Rights kEnough = right::fd_seek | right::fd_tell;
  if (fd->missing(kEnough) == kEnough) return refusal(*fd, right::fd_tell);
  return position_of(*fd, 0, Whence::cur, position);
}

}  // namespace wasi::preview1::impl
