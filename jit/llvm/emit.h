// From optimised IR to bytes that can be placed anywhere, and what must be known of each function in them.
#pragma once

#include <wasi/error.h>

#include <llvm/Target/TargetMachine.h>

#include <cstdint>
#include <string>
#include <vector>

#include "jit/common/machine_code.h"
#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

struct EmittedFunction {
  std::string name;
  std::uint32_t begin = 0;  // in Emitted::bytes
  std::uint32_t end = 0;
  std::uint32_t frame_bytes = 0;
  SavedRegisters saved = {};
  std::uint32_t context_at = 0;             // 0: nobody can ask for it
  std::vector<runtime::OffsetEntry> marks;  // from `begin` on
  std::vector<InlinedCall> inlined_calls;   // that marks speak of
  std::vector<LocalPlace> locals;           // without their types; where the unit is for a debugger
};

struct Emitted {
  std::vector<std::uint8_t> bytes;
  std::vector<EmittedFunction> functions;
};

// `unsupported` where the code needs what cannot be had in a process that has no LLVM. The unit's IR is of no use
// afterwards.
Result<Emitted> emit(Unit& unit, llvm::TargetMachine& target);

// The same as an assembler's text (MachineUnit::log).
Result<std::string> list(Unit& unit, llvm::TargetMachine& target);

}  // namespace wasi::jit::optimising
