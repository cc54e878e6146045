// For code that has a copy of the runtime of its own: the optimising compiler's plug-in, which is linked with what it
// needs of it. Its copy knows none of the process's machine code, so the stack of a store that has to stop while
// something is compiled for it can be described by the host alone.
#pragma once

#include "runtime/exec_state.h"

namespace wasi::runtime {

using MustStop = bool (*)(ExecState& exec);

// What Preparation::poll() of this copy asks from now on, in place of its own must_stop() (trap_raise.h).
void ask_host_to_stop(MustStop must_stop);

// The plug-in's export for that, of the type void (*)(MustStop).
inline constexpr const char* kAskHostSymbol = "wasirun_optimising_compiler_host";

}  // namespace wasi::runtime
