// Which functions a program will spend its time in: as an earlier run says, or as its bodies let one guess.
#pragma once

#include <cstdint>
#include <vector>

#include "jit/plan/call_graph.h"

namespace wasi::jit {

// How often each function is called where each entry is called once, as far as can be guessed. Calls go from callers to
// callees, round about through recursion (each call of which makes kLoopTurns more); calls by reference go to all
// functions of the type that a table may hold, in equal parts.
std::vector<double> estimate_calls(const CallGraph& graph);

// Time in each function without its callees, up to a factor.
std::vector<double> estimate_heat(const CallGraph& graph, const std::vector<double>& calls);

// What it costs to optimise a body of so many bytes: seconds of a processor's time, about, as they were measured on
// functions of C and Rust. It grows faster than the body, since LLVM does.
double optimising_seconds(std::uint32_t bytes);

// The same for a guess that it is hot: more, as less of a large body is.
double guessed_seconds(std::uint32_t bytes);

// The functions that are worth most and cost no more than so many guessed_seconds() together; what has no heat is not
// among them. The hottest for their cost come first to be chosen; what does not fit is left out for others. By their
// numbers.
std::vector<std::uint32_t> choose_hot(const CallGraph& graph, const std::vector<double>& heat, double seconds);

// The functions that have this part of all heat, the hottest first to be chosen, without those that alone cost more
// than so many seconds. By their numbers.
std::vector<std::uint32_t> choose_covering(const CallGraph& graph, const std::vector<double>& heat, double part,
                                           double seconds);

}  // namespace wasi::jit
