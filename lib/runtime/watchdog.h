// Deadlines: one thread per process, started at first use, sleeps until the next one and sets the
// interrupt of its store.
#pragma once

#include "runtime/exec_state.h"

namespace wasi::runtime {

// Sets kInterruptDeadline in `exec` when `deadline` has come. `exec` stays valid until unwatched. False, and nothing is
// watched, where there is no thread or no memory to be had for it.
[[nodiscard]] bool watch_deadline(ExecState& exec, Deadline deadline);
// Undoes watch_deadline with the same arguments; does nothing where the deadline has fired.
void unwatch_deadline(ExecState& exec, Deadline deadline);

}  // namespace wasi::runtime
