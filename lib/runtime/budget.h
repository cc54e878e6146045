// What interpreted code counts down, and what is due when it is spent.
//
// Each call and each branch back takes 1 from a budget, which running code has in a register and keeps in
// ExecState::budget otherwise. When it is spent, the code looks around: whether the store has to stop, and, where there
// is a tier policy, whether the function or loop in which that happens is to have machine code. So both cost one
// decrement together, and interruption comes late by one budget at most: some ten microseconds, since what takes long
// by itself looks at ExecState::interrupt and ends the budget (interp/state.h, after_long_call; interp/translator.h,
// polls).
#pragma once

#include <cstdint>

#include "runtime/exec_state.h"

namespace wasi::runtime {

// Answers interrupts, by a trap where one is due; gives the next budget, which may be 0. Frame::resume of the newest
// record says where it stands.
std::uint32_t look_around(ExecState& exec);

}  // namespace wasi::runtime
