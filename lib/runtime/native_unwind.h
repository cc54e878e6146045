// How an exception passes frames of machine code: from the one that throws to the one that catches, or out of the span.
//
// Machine code in functions without handlers does not look whether a call threw. So whoever knows that one did does not
// return, but goes here: the walk leaves frame by frame, putting back the preserved registers that each of them saved,
// to
//  - the first frame whose code catches (NativeCode::catches), which goes on behind its call;
//  - or the adapter that entered the span, which goes on behind its call, too: it leaves the span and returns.
// What the host gets if nobody catches is made when the span is left, since most exceptions are caught; so its
// backtrace has no frames that were left on the way to one that catches something else. ExecState::thrown stays set:
// that is how either learns of it. No C++ frame is among those that are left, since each C++ function that calls out of
// a span has returned by then.
//
// Tail calls go the same way. Interpreted code that was entered by an adapter, and whose last deed is a tail call of a
// function with machine code, cannot jump there as machine code does: it leaves the interpreter, with
// ExecState::tail_callee and kTailCall in the place of an exception, and the adapter, which has left its frame by then,
// jumps. So tail calls between the two worlds take no room on the stack, however often they go back and forth.
#pragma once

#include <cstdint>

namespace wasi::runtime {

struct Exception;

// What ExecState::thrown is then: no exception's address.
inline Exception* const kTailCall = reinterpret_cast<Exception*>(std::uintptr_t{1});

}  // namespace wasi::runtime

namespace wasi::runtime::services {

// Rows of runtime_calls.def, to be called or jumped to without arguments, with ExecState::thrown and native_sp set, and
// rbp and the preserved registers as they are in the frame that stands at native_sp.
//
// From a frame that does not catch what it or its callee threw: the frame is left.
[[noreturn]] void unwind() asm("wasirun_unwind");
// Instead of a return to the frame that stands at native_sp: it may catch.
[[noreturn]] void unwind_callee() asm("wasirun_unwind_callee");

}  // namespace wasi::runtime::services
