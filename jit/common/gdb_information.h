// What debuggers are told of one function's source, as sections of DWARF 4: lines, and parameters, variables and types
// as the guest's compiler wrote them, of which every location is one in the machine (gdb_expressions.h). Of a function
// without such information, the Wasm locals are its variables.
#pragma once

#include "jit/common/code_listener.h"
#include "jit/common/dwarf_writer.h"

namespace wasi::jit {

struct DebugInformation {
  Bytes abbreviations;
  Bytes information;
  Bytes lines;
  Bytes locations;
  Bytes ranges;
};

// Throws std::bad_alloc.
DebugInformation debug_information(const NamedCode& code);

}  // namespace wasi::jit
