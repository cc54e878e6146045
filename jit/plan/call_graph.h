// What a module's bodies say about how often what is run: how much a call of a function does, and whom it calls.
//
// Guesses, as compilers make them without a profile: a loop turns kLoopTurns times, an arm of an `if` is taken every
// second time, and a call in front of `unreachable` hardly ever. Source: Ball and Larus, "Branch prediction for free"
// (1993); Wu and Larus, "Static branch frequency and program profile analysis" (1994).
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <vector>

#include "wasm/module.h"

namespace wasi::jit {

inline constexpr double kLoopTurns = 8;

// Functions are named by their number among those that are not imported.
struct CallSite {
  std::uint32_t callee = 0;
  double times = 0;  // per call of the caller
};

struct IndirectSite {
  wasm::TypeId type = {};  // of the callee
  double times = 0;
};

struct BodyFacts {
  std::uint32_t bytes = 0;
  wasm::TypeId type = {};                   // of the function
  double work = 0;                          // instructions that a call runs, without its callees'
  std::vector<CallSite> calls = {};         // one for each callee, by its number
  std::vector<IndirectSite> indirect = {};  // one for each type
};

struct CallGraph {
  std::vector<BodyFacts> bodies;
  std::vector<bool> is_entry;  // exported, or the start function
  // Functions that a table or a reference may hold: those that stand outside of bodies.
  std::vector<bool> is_referred;
};

// Reads all bodies, on so many threads. A body that is wrong has no calls; `validated`: none is.
CallGraph survey_calls(const wasm::Module& module, bool validated, unsigned threads);

}  // namespace wasi::jit
