// Tier 0: the interpreter, as the rest of the project sees it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "interp/code_style.h"
#include "runtime/tier.h"

namespace wasi::interp {

struct InterpreterOptions {
  CodeStyle style = CodeStyle::fused;
  // Where code counts the Wasm instructions that it executes, by wasm::Op; null: it does not. `else` and `catch` count
  // when their arm begins, `end` when control falls into it.
  std::atomic<std::uint64_t>* counts = nullptr;
  bool observes_calls = false;  // code notes whom calls by reference reach, in ModuleCode::call_sites
  bool charges_fuel = false;    // code takes from ExecState::fuel what the walk says (validate/function_walk.h)
};

// A tier that translates each function at its first call into register code and runs that. It has no
// state per module beyond what ModuleCode owns; one serves any number of modules and threads.
std::unique_ptr<runtime::Tier> make_interpreter(InterpreterOptions options = {});

}  // namespace wasi::interp
