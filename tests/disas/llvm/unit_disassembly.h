// A text module's machine code by the optimising compiler as text: per function what LLVM's assembler would be given,
// and in front of it the instructions of the module that it was made of. One instruction of the module may stand in
// several places; "in $f" says that it is one of a callee's, whose body is a part of this one.
//
// Lines that begin with ";;!" in the text say how it is compiled:
//   ;;! checks explicit          bounds are compared, not guarded
//   ;;! charge fuel              code charges for what it executes
//   ;;! strict memory            as EngineConfig::strict_memory
//   ;;! without NAME             an optimisation of unit_optimisations.def is off
//   ;;! only NAME                the unit is this function alone, by its name in the text
//   ;;! loop NAME                the unit is what goes on in the first loop of this function
//   ;;! hot NAME                 this function runs much, all others do not
//   ;;! cpu oldest               for the oldest machines
//   ;;! cpu newer                for x86-64-v3 that divides quickly
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "jit/common/optimising_compiler.h"

namespace wasi::test {

// Every function, for machines of x86-64-v3 whatever this one is. Fails the test where the module is not valid or
// cannot be compiled.
std::string disassemble_unit(std::string_view text);

// With other options than the text asks for.
std::string disassemble_unit(std::string_view text, const std::function<void(jit::OptimisingOptions&)>& change_options);

}  // namespace wasi::test
