// Which functions are compiled together: callers beside those that they call much, so that a compiler can inline them.
//
// Says the same for the same module, wherever and by however many threads it is compiled.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jit/plan/call_graph.h"

namespace wasi::jit {

// Of bytes of bodies in a unit, at most. For the time of compilation it does not matter: 150 KB of Ruby's functions
// took 41.0, 40.3 and 45.7 s in units of one function, of 8 and of 32 KB. It is what one thread has to do at once.
inline constexpr std::uint64_t kUnitBytes = 16U << 10;

// `functions`, by their numbers, in units of at most so many bytes, or one function. `calls`: how often each function
// of the module is called. Functions of a unit are in order, and units by their first function.
std::vector<std::vector<std::uint32_t>> plan_units(const CallGraph& graph, const std::vector<double>& calls,
                                                   std::span<const std::uint32_t> functions,
                                                   std::uint64_t unit_bytes = kUnitBytes);

}  // namespace wasi::jit
