#include "tools/shim/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

wasi::Result<void> check_that_alone(int threads) {
  struct stat info{};
  if (::fstat(threads, &info) != 0) return host_failure("stat /proc/self/task");
  // A directory has a link for itself, one from above, and one from each below.
  if (info.st_nlink != 3) {
    return wasi::fail(wasi::ErrorKind::io, "privileges cannot be dropped while other threads run");
  }
  return {};
}

wasi::Result<void> drop_bounding_set() {
  // Those that this kernel has, which end with the first that it does not know.
  constexpr int kMostCapabilities = 64;
  for (int capability = 0; capability < kMostCapabilities; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) return {};
    return host_failure("drop capabilities");
  }
  return {};
}

wasi::Result<void> drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) return host_failure("capset");
  return {};
}

}  // namespace

wasi::Result<void> drop_privileges(const ProcessConfig& process, int threads) {
  WASI_TRY(check_that_alone(threads));
  for (const Rlimit& limit : process.rlimits) {
    const rlimit value{.rlim_cur = limit.soft, .rlim_max = limit.hard};
    if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value) != 0) return host_failure("setrlimit");
  }
  WASI_TRY(drop_bounding_set());
  if (::setgroups(process.additional_gids.size(), process.additional_gids.data()) != 0)
    return host_failure("setgroups");
  if (::setresgid(process.gid, process.gid, process.gid) != 0) return host_failure("setresgid");
  if (::setresuid(process.uid, process.uid, process.uid) != 0) return host_failure("setresuid");
  WASI_TRY(drop_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return host_failure("set no_new_privs");
  if (process.umask) ::umask(*process.umask);
  return {};
}

}  // namespace wasirun::shim
