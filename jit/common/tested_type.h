// Which type a cast, a test or a branch on one names.
#pragma once

#include <cstdint>

#include "wasm/module.h"

namespace wasi::jit {

// The index of the concrete type that the instruction at that byte of the module, which is validated, tests for: the
// walk only says which type it is.
std::uint32_t tested_type(const wasm::Module& module, std::uint64_t offset);

}  // namespace wasi::jit
