// What the compiler wants to know of a body before it writes the first instruction: how large the frame is, which
// locals are used most, and whether the function calls anything.
//
// One walk without effects. Uses are weighed by the depth of the loops that they stand in.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/preparation.h"
#include "wasm/module.h"

namespace wasi::jit::baseline {

struct BodyScan {
  std::vector<wasm::ValType> locals;   // parameters first
  std::vector<std::uint32_t> weights;  // of their uses
  std::uint32_t operand_slots = 0;     // at most, with what catch clauses bring
  std::uint32_t kept_slots = 0;        // behind them: exceptions that may be rethrown
  std::uint32_t calls = 0;             // weight of all that leaves machine code or may clobber registers
  std::uint32_t accesses = 0;          // weight of accesses to memory 0
  bool has_loops = false;
  bool has_handlers = false;
  bool has_rethrow = false;

  void clear();
};

// Checks the body where it is not `validated`.
Result<void> scan(BodyScan& into, const wasm::Module& module, wasm::FuncIndex function, bool validated,
                  runtime::Preparation& preparation);

}  // namespace wasi::jit::baseline
