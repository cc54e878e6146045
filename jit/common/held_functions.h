// The functions of a module that a table or a reference may hold, and how much each of them runs: of these are the
// callees of calls by reference, as far as the module shows. Tables change, and references come from elsewhere, so
// nobody may rely on it.
#pragma once

#include <cstdint>
#include <vector>

#include "wasm/module.h"

namespace wasi::jit {

struct HeldFunction {
  wasm::FuncIndex function;
  std::uint64_t heat = 0;  // compared with others' alone; 0: it did not run, or nothing is known
};

// By their indices, each once. What stands in the module's sections is looked at, not its bodies.
std::vector<HeldFunction> held_functions(const wasm::Module& module);

}  // namespace wasi::jit
