// What is to be known of a body before its first instruction is lowered.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "jit/llvm/likely_callees.h"
#include "runtime/preparation.h"
#include "wasm/module.h"

namespace wasi::jit::optimising {

struct Survey {
  bool has_handlers = false;  // try_table, or a legacy try
  bool has_rethrow = false;
  bool has_loops = false;
  std::uint32_t locals = 0;
  std::uint32_t joins = 0;            // labels, at most, where ways come together
  std::uint32_t operand_slots = 0;    // at most
  std::uint32_t operation_slots = 0;  // that the operands or results of one service of the runtime take, at most
  std::uint32_t instructions = 0;
  // Of a loop that was asked for: where the outermost loop around it begins, or it itself. A call that goes on in it
  // never comes to what stands before.
  std::optional<std::uint64_t> outermost_loop = {};
  // Of direct calls and, where they are known, likely ones of others: of functions with a body, as often as they are
  // called.
  std::vector<wasm::FuncIndex> callees = {};
};

// Checks the body where it is not `validated`. `loop`: UnitRequest::loop. `likely`: null where nobody wants to know
// them.
Result<Survey> survey(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                      std::optional<std::uint64_t> loop, LikelyCallees* likely, runtime::Preparation& preparation);

}  // namespace wasi::jit::optimising
