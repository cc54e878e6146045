#include <wasi/signals.h>

#include "os/fault_handler.h"

namespace wasi {

bool handle_fault(int signal, siginfo_t* info, void* context) noexcept {
  return info != nullptr && context != nullptr && os::take_fault(signal, *info, context);
}

Result<void> never_install_fault_handlers() { return os::never_install_fault_handler(); }

}  // namespace wasi
