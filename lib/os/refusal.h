// Answers by which a system call may be refused as such, rather than for what it was asked to do.
#pragma once

#include <cerrno>

namespace wasi::os {

// A kernel that does not know a call says ENOSYS. Filters (seccomp) of containers, sandboxes and service managers that
// do not know it say what they were told to, mostly EPERM, also EACCES or EINVAL, which may as well be the truth about
// the file. So whoever has another way tries it, and its answer counts.
inline bool may_refuse_call(int error) {
  return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL;
}

}  // namespace wasi::os
