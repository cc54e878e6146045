// The Wasm frames of a trap, with names.
#pragma once

#include <wasi/trap.h>

#include <cstdint>

#include "runtime/exec_state.h"

namespace wasi::runtime {

struct ModuleCode;

// A function of the module's own with its names.
StackFrame describe_function(ModuleCode& code, std::uint32_t index);

// Fills trap.backtrace from exec.top on, host calls in between included in the chain; at most
// kMaxBacktraceFrames, the innermost and the outermost ones.
void add_backtrace(Trap& trap, const ExecState& exec);

}  // namespace wasi::runtime
