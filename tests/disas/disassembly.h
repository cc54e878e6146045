// A text module's machine code as text: per function the instructions of the module, and below them what they became.
//
// Lines that begin with ";;!" in the text say how it is compiled:
//   ;;! checks explicit          bounds are compared, not guarded
//   ;;! charge fuel              code charges for what it executes
//   ;;! without NAME             an optimisation of optimisations.def is off
//   ;;! show ends                code behind the body that is the same in all functions, too: traps, the way in at
//   loops
//   ;;! show oldest              code for the oldest machines, too, where it differs
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "jit/baseline/compile.h"

namespace wasi::test {

// Every function, for the newest machines. Fails the test where the module is not valid or cannot be compiled.
std::string disassemble(std::string_view text);

// With other options than the text asks for.
std::string disassemble(std::string_view text,
                        const std::function<void(jit::baseline::CompileOptions&)>& change_options);

}  // namespace wasi::test
