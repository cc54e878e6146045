// Deadlines: one thread per process, started at first use, sleeps until the next one and sets the
// interrupt of its store.
#pragma once

#include <chrono>

#include "runtime/exec_state.h"

namespace wasi::runtime {

using Deadline = std::chrono::steady_clock::time_point;

// Sets kInterruptDeadline in `exec` when `deadline` has come. `exec` stays valid until unwatched.
void watch_deadline(ExecState& exec, Deadline deadline);
// Undoes watch_deadline with the same arguments; does nothing where the deadline has fired.
void unwatch_deadline(ExecState& exec, Deadline deadline);

}  // namespace wasi::runtime
