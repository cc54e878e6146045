#include "tools/shim/root_file_system.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/host_file.h"
#include "tools/shim/mount_options.h"

namespace wasirun::shim {

namespace {

using wasi::os::UniqueFd;

std::string descriptor_path(const UniqueFd& fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

UniqueFd open_beneath(int root, const std::string& path, std::uint64_t flags, std::uint64_t mode = 0) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed meanwhile.
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == kAttempts) return UniqueFd(static_cast<int>(fd));
  }
}

// Opens what is to be mounted over, and makes it, with the directories above, where it is not there.
wasi::Result<UniqueFd> open_destination(const UniqueFd& root, const std::string& path, bool is_directory) {
  UniqueFd found = open_beneath(root.get(), path, O_PATH);
  if (found || errno != ENOENT) {
    if (!found) return host_failure("open", path);
    return found;
  }
  UniqueFd above = open_beneath(root.get(), "/", O_PATH | O_DIRECTORY);
  std::string made;
  for (std::size_t begin = path.find_first_not_of('/'); begin != std::string::npos;) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = path.find_first_not_of('/', end);
    made += "/" + name;
    const bool is_last = begin == std::string::npos;
    UniqueFd next = open_beneath(root.get(), made, O_PATH);
    if (!next) {
      if (errno != ENOENT) return host_failure("open", made);
      const bool makes_directory = !is_last || is_directory;
      const int failed = makes_directory ? ::mkdirat(above.get(), name.c_str(), 0755)
                                         : ::mknodat(above.get(), name.c_str(), S_IFREG | 0644, 0);
      if (failed != 0) return host_failure(makes_directory ? "mkdir" : "create", made);
      next = open_beneath(root.get(), made, O_PATH);
      if (!next) return host_failure("open", made);
    }
    above = std::move(next);
  }
  return above;
}

// A bind mount takes its flags by a second call, which must not lose those that the source has.
wasi::Result<void> remount_with(const std::string& target, unsigned long flags) {
  struct statvfs info{};
  if (::statvfs(target.c_str(), &info) != 0) return host_failure("statvfs", target);
  unsigned long kept = 0;
  if ((info.f_flag & ST_RDONLY) != 0) kept |= MS_RDONLY;
  if ((info.f_flag & ST_NOSUID) != 0) kept |= MS_NOSUID;
  if ((info.f_flag & ST_NODEV) != 0) kept |= MS_NODEV;
  if ((info.f_flag & ST_NOEXEC) != 0) kept |= MS_NOEXEC;
  if ((info.f_flag & ST_NOATIME) != 0) kept |= MS_NOATIME;
  if ((info.f_flag & ST_NODIRATIME) != 0) kept |= MS_NODIRATIME;
  if ((info.f_flag & ST_RELATIME) != 0) kept |= MS_RELATIME;
  const unsigned long wanted = (flags & ~static_cast<unsigned long>(MS_REC)) | kept;
  if (wanted == kept) return {};
  if (::mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | wanted, nullptr) != 0) {
    return host_failure("remount", target);
  }
  return {};
}

wasi::Result<void> mount_bind(const UniqueFd& root, const MountConfig& mount, const MountOptions& options) {
  struct stat source{};
  if (::stat(mount.source.c_str(), &source) != 0) return host_failure("stat", mount.source);
  const bool is_directory = S_ISDIR(source.st_mode);
  std::string target;
  {
    const UniqueFd destination = WASI_TRY(open_destination(root, mount.destination, is_directory));
    target = descriptor_path(destination);
    if (::mount(mount.source.c_str(), target.c_str(), nullptr, MS_BIND | (options.flags & MS_REC), nullptr) != 0) {
      return host_failure(fmt::format("mount {} on", wasi::printable(mount.source)), mount.destination);
    }
  }
  // The descriptor shows what was there before: what is mounted on it has to be opened anew.
  const UniqueFd mounted = open_beneath(root.get(), mount.destination, O_PATH);
  if (!mounted) return host_failure("open", mount.destination);
  target = descriptor_path(mounted);
  if (options.propagation != 0 && ::mount(nullptr, target.c_str(), nullptr, options.propagation, nullptr) != 0) {
    return host_failure("set the propagation of", mount.destination);
  }
  return remount_with(target, options.flags & ~static_cast<unsigned long>(MS_BIND));
}

wasi::Result<void> mount_memory(const UniqueFd& root, const MountConfig& mount, const MountOptions& options) {
  const UniqueFd destination = WASI_TRY(open_destination(root, mount.destination, true));
  if (::mount("tmpfs", descriptor_path(destination).c_str(), "tmpfs", options.flags, options.data.c_str()) != 0) {
    return host_failure("mount tmpfs on", mount.destination);
  }
  return {};
}

// Whether it is /dev, /proc, /sys, or lies below: nothing there is for guests.
bool is_of_the_system(std::string_view path) {
  for (const std::string_view place : {"/dev", "/proc", "/sys"}) {
    if (path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '/')) return true;
  }
  return false;
}

bool is_bind(const MountConfig& mount, const MountOptions& options) {
  return mount.type == "bind" || (options.flags & MS_BIND) != 0;
}

}  // namespace

wasi::Result<void> mount_snapshot(const std::vector<SnapshotMount>& mounts, const std::string& target) {
  for (const SnapshotMount& mount : mounts) {
    const MountOptions options = parse_mount_options(mount.options);
    const bool binds = (options.flags & MS_BIND) != 0 || mount.type == "bind";
    const unsigned long flags = binds ? MS_BIND | (options.flags & MS_REC) : options.flags;
    if (options.data.size() >= 4096) {
      return wasi::fail(wasi::ErrorKind::limit, "mount on {}: options of {} bytes; the kernel takes 4095",
                        wasi::printable(target), options.data.size());
    }
    if (::mount(mount.source.c_str(), target.c_str(), binds ? nullptr : mount.type.c_str(), flags,
                binds ? nullptr : options.data.c_str()) != 0) {
      return host_failure(fmt::format("mount {} on", wasi::printable(mount.type)), target);
    }
    if (binds) WASI_TRY(remount_with(target, options.flags & ~static_cast<unsigned long>(MS_BIND)));
  }
  return {};
}

void unmount_snapshot(const std::string& target) {
  // Each goes with the one below it; what is still in use is only taken out of sight.
  constexpr int kMostMounts = 128;
  for (int i = 0; i < kMostMounts && ::umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0; ++i) {
  }
}

wasi::Result<UniqueFd> open_in_root(const std::string& root, const std::string& path, int flags) {
  const UniqueFd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return host_failure("open", root);
  UniqueFd file = open_beneath(directory.get(), path, static_cast<std::uint64_t>(flags));
  if (!file) return host_failure("open", path);
  return file;
}

wasi::Result<UniqueFd> open_in_container(const Bundle& bundle, const std::string& path, int flags) {
  const MountConfig* above = nullptr;
  for (const MountConfig& mount : bundle.mounts) {
    const std::string& place = mount.destination;
    const bool holds = path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '/');
    if (holds && is_bind(mount, parse_mount_options(mount.options)) &&
        (above == nullptr || place.size() >= above->destination.size())) {
      above = &mount;
    }
  }
  if (above == nullptr) return open_in_root(bundle.root, path, flags);
  if (path.size() > above->destination.size()) {
    return open_in_root(above->source, path.substr(above->destination.size()), flags);
  }
  UniqueFd file(::open(above->source.c_str(), flags | O_CLOEXEC));
  if (!file) return host_failure("open", path);
  return file;
}

wasi::Result<void> mount_container(const Bundle& bundle, MountKinds kinds) {
  if (::unshare(CLONE_NEWNS) != 0) return host_failure("unshare the mount namespace");
  // What the host mounts later may appear here, and nothing the other way round.
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) return host_failure("mount --make-rslave /");
  // Roots are exchanged for mounts only.
  if (::mount(bundle.root.c_str(), bundle.root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return host_failure("bind", bundle.root);
  }
  const UniqueFd root(::open(bundle.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return host_failure("open", bundle.root);
  for (const MountConfig& mount : bundle.mounts) {
    const MountOptions options = parse_mount_options(mount.options);
    if (is_bind(mount, options)) {
      WASI_TRY(mount_bind(root, mount, options));
    } else if (mount.type == "tmpfs" && kinds == MountKinds::files_and_memory && !is_of_the_system(mount.destination)) {
      WASI_TRY(mount_memory(root, mount, options));
    }
  }
  if (bundle.is_root_read_only) WASI_TRY(remount_with(bundle.root, MS_RDONLY));
  return {};
}

wasi::Result<void> enter_container(const Bundle& bundle) {
  if (::chdir(bundle.root.c_str()) != 0) return host_failure("chdir", bundle.root);
  // The old root comes to lie on the new one, and is taken away from there.
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return host_failure("pivot_root", bundle.root);
  if (::umount2(".", MNT_DETACH) != 0) return host_failure("unmount the host's root");
  if (::chdir("/") != 0) return host_failure("chdir", "/");
  return {};
}

}  // namespace wasirun::shim
