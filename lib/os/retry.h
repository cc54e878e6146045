// Signals that come while a system call waits.
#pragma once

#include <cerrno>

namespace wasi::os {

// Makes a system call, again when a signal came in between: file systems that wait for a network or for another
// process give EINTR from nearly all of them. Not for close(), after which the descriptor is gone whatever it says.
template <class Call>
auto retry(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace wasi::os
