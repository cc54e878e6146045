// Throwing: from a frame of the interpreter to the handler that catches, over any number of frames.
//
// These functions return the code to go on at: a catch's, whose frame is then exec.top, or the exit shim
// where no frame up to the native caller catches; ExecState::thrown then says what was thrown.
#pragma once

#include <cstdint>

#include "interp/record.h"
#include "runtime/exception.h"
#include "runtime/vmcontext.h"

namespace wasi::interp {

// `throw` at `ip` of the newest frame.
[[gnu::cold, gnu::noinline]] const std::uint8_t* throw_tag(const std::uint8_t* ip, runtime::VmContext* vm,
                                                           std::uint32_t tag, const runtime::Slot* values);
// `throw_ref` at `ip`; null traps.
[[gnu::cold, gnu::noinline]] const std::uint8_t* throw_reference(const std::uint8_t* ip, runtime::VmContext* vm,
                                                                 void* exception);
// Behind a call out of the interpreter that came back with ExecState::thrown set. The frame of a tail call is gone.
[[gnu::cold, gnu::noinline]] const std::uint8_t* throw_on(runtime::VmContext* vm, bool is_tail_call);

}  // namespace wasi::interp
