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

// How much a loop uses a local, per iteration.
struct LocalUses {
  std::uint32_t local = 0;
  std::uint32_t weight = 0;
  bool is_written = false;
};

struct LoopScan {
  std::uint32_t parent = 0;     // 0: the function; else one more than the index of the loop around
  std::uint32_t first_use = 0;  // in BodyScan::loop_uses: the locals that it uses most
  std::uint32_t use_count = 0;
  std::uint32_t calls = 0;   // weight of all that may clobber registers, per iteration
  bool is_too_deep = false;  // its uses are not known
  bool is_frugal = true;     // so are its instructions, of registers
};

struct BodyScan {
  std::vector<wasm::ValType> locals;   // parameters first
  std::vector<std::uint32_t> weights;  // of their uses
  std::uint32_t operand_slots = 0;     // at most, with what catch clauses bring
  std::uint32_t kept_slots = 0;        // behind them: exceptions that may be rethrown
  std::uint32_t calls = 0;             // weight of all that leaves machine code or may clobber registers
  std::uint32_t accesses = 0;          // weight of accesses to memory 0
  bool is_frugal = true;
  bool has_loops = false;
  bool has_handlers = false;
  bool has_rethrow = false;
  std::vector<LoopScan> loops;  // in the order in which they begin
  std::vector<LocalUses> loop_uses;

  void clear();
};

// Checks the body where it is not `validated`.
Result<void> scan(BodyScan& into, const wasm::Module& module, wasm::FuncIndex function, bool validated,
                  runtime::Preparation& preparation);

}  // namespace wasi::jit::baseline
