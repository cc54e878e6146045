// Memory faults in processes with signal handlers of their own. docs/signals.md is the whole story.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/error.h>

#include <csignal>

namespace wasi {

// For a handler of SIGSEGV or SIGBUS that the embedder installed after the library's, or in its place: says whether the
// fault is a guest's out-of-bounds access. True: `context` was changed so that the thread continues in the trap when
// the handler returns, which it must do at once. False: the fault is somebody else's, and nothing was changed.
// `info` and `context` are what the kernel handed to the handler (SA_SIGINFO); any other signal is answered with false.
// Async-signal-safe, and safe on any thread.
WASI_API bool handle_fault(int signal, siginfo_t* info, void* context) noexcept;

// Keeps the library from installing handlers in this process: the embedder's must then call handle_fault(). Without
// that, an out-of-bounds access ends the process. Call it before the first memory with guard pages is made; `argument`
// when the handlers are there already. Any thread may call it.
WASI_API Result<void> never_install_fault_handlers();

}  // namespace wasi
