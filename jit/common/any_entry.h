// A native entry for functions of every signature, of modules and of the host: what callers get where no adapter of the
// signature can be had, since memory for code is exhausted. It is no machine code of ours, but part of the program.
//
// It keeps the registers of all arguments, and a function in C++ puts them into slots, calls the slot entry, and gives
// the results: a few times the cost of an adapter.
#pragma once

#include "runtime/code_entry.h"

namespace wasi::jit {

// Never to be called from C++.
void any_entry() asm("wasirun_any_entry");

inline runtime::NativeEntry any_native_entry() { return reinterpret_cast<runtime::NativeEntry>(&any_entry); }

}  // namespace wasi::jit
