// Calls from machine code to functions that have no native entry yet.
//
// Machine code that finds FunctionCode::native_entry null calls, or jumps to, ExecState::bind_native_entry in its
// place, with all as for the callee. That is a stub which keeps every register that
// arguments may be in, asks ExecState::native_tier for the entry, and goes on there.
#pragma once

namespace wasi::runtime {

// Never to be called from C++.
void bind_native_entry() asm("wasirun_bind_native_entry");

}  // namespace wasi::runtime
