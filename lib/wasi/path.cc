// The path_ functions: rights are checked here, paths are the directory's matter.
#include "wasi/host_stat.h"
#include "wasi/table.h"

namespace wasi::preview1::impl {
namespace {

bool follows(const Flags<LookupFlags>& flags) { return flags.has(lookupflag::symlink_follow); }

// What traces call a file. Cut in front where a program goes on opening "." below itself.
std::string joined(const std::string& directory, std::string_view path) {
  std::string name = directory;
  if (!name.ends_with('/')) name += '/';
  name += path;
  constexpr std::size_t kMostShown = 256;
  if (name.size() > kMostShown) name.replace(0, name.size() - kMostShown, "...");
  return name;
}

}  // namespace

Errno path_create_directory(Call&, Dir<right::path_create_directory>& fd, Path& path) {
  return within_quota(fd.descriptor().quota, WriteQuota::kNameCost, [&] { return fd->create_directory(path.view()); });
}

Errno path_filestat_get(Call&, Dir<right::path_filestat_get>& fd, Flags<LookupFlags>& flags, Path& path,
                        Out<OutFileStat>& stat) {
  const auto result = fd->stat_at(path.view(), follows(flags));
  if (!result) return result.error();
  stat.set(*result);
  return Errno::success;
}

Errno path_filestat_set_times(Call&, Dir<right::path_filestat_set_times>& fd, Flags<LookupFlags>& flags, Path& path,
                              U64& atim, U64& mtim, Flags<FstFlags>& fstflags) {
  const auto times = file_times(atim.value, mtim.value, fstflags.value);
  if (!times) return times.error();
  return fd->set_times_at(path.view(), follows(flags), *times);
}

Errno path_link(Call&, Dir<right::path_link_source>& old_fd, Flags<LookupFlags>& old_flags, Path& old_path,
                Dir<right::path_link_target>& new_fd, Path& new_path) {
  return within_quota(new_fd.descriptor().quota, WriteQuota::kNameCost,
                      [&] { return old_fd->link(old_path.view(), follows(old_flags), *new_fd, new_path.view()); });
}

Errno path_open(Call& call, Dir<right::path_open>& fd, Flags<LookupFlags>& dirflags, Path& path, Flags<OFlags>& oflags,
                RightsSet& base, RightsSet& inheriting, Flags<FdFlags>& fdflags, Out<OutU32>& opened) {
  const Descriptor& directory = fd.descriptor();
  Rights needed = 0;
  if (oflags.has(oflag::creat)) needed |= right::path_create_file;
  if (oflags.has(oflag::trunc)) needed |= right::path_filestat_set_size;
  if (const Rights missing = directory.missing(needed); missing != 0) return refusal(directory, missing);
  if (oflags.has(oflag::creat) && oflags.has(oflag::directory)) return Errno::inval;
  const Rights handed_on = directory.handed_on();
  Rights most = handed_on;
  if (directory.access == Access::read_only) {
    if ((base.value & handed_on & right::fd_write) != 0) return Errno::rofs;
    most &= ~right::kChanging;
  }
  const Rights granted = base.value & most;
  const Rights tacit = right::coming_with(granted) & most & ~granted;

  // Asked before anything is created or truncated.
  if (call.state.fds.is_full()) return Errno::mfile;
  const Opening opening = {.follows = follows(dirflags),
                           .creates = oflags.has(oflag::creat),
                           .is_exclusive = oflags.has(oflag::excl),
                           .truncates = oflags.has(oflag::trunc),
                           .wants_directory = oflags.has(oflag::directory),
                           .reads = ((granted | (tacit & right::fd_read)) & (right::fd_read | right::fd_readdir)) != 0,
                           .writes = (granted & right::fd_write) != 0,
                           .flags = static_cast<std::uint16_t>(fdflags.value)};
  auto file = open_within_quota(directory.quota, *fd, path.view(), opening);
  if (!file) return file.error();
  auto descriptor = std::make_shared<Descriptor>();
  descriptor->access = directory.access;
  descriptor->quota = directory.quota;
  descriptor->flags = static_cast<std::uint16_t>(fdflags.value);
  descriptor->base = granted;
  descriptor->tacit = tacit;
  descriptor->inheriting = inheriting.value & handed_on;
  descriptor->tacit_inheriting = handed_on & ~inheriting.value;
  descriptor->file = std::move(*file);
  if (call.state.trace) descriptor->name = joined(directory.name, path.view());
  const auto number = call.state.fds.insert(std::move(descriptor));
  if (!number) return Errno::mfile;
  opened.set(*number);
  return Errno::success;
}

Errno path_readlink(Call&, Dir<right::path_readlink>& fd, Path& path, OutBytes& target, Out<OutU32>& used) {
  const auto size = fd->read_link(path.view(), target.bytes());
  if (!size) return size.error();
  used.set(static_cast<std::uint32_t>(*size));
  return Errno::success;
}

Errno path_remove_directory(Call&, Dir<right::path_remove_directory>& fd, Path& path) {
  return fd->remove_directory(path.view());
}

Errno path_rename(Call&, Dir<right::path_rename_source>& fd, Path& old_path, Dir<right::path_rename_target>& new_fd,
                  Path& new_path) {
  return fd->rename(old_path.view(), *new_fd, new_path.view());
}

Errno path_symlink(Call&, Path& target, Dir<right::path_symlink>& fd, Path& path) {
  return within_quota(fd.descriptor().quota, WriteQuota::kNameCost + target.size,
                      [&] { return fd->symlink(target.view(), path.view()); });
}

Errno path_unlink_file(Call&, Dir<right::path_unlink_file>& fd, Path& path) { return fd->unlink(path.view()); }

}  // namespace wasi::preview1::impl
