// Type definitions: what a declared super type asks for.
// Source: https://webassembly.github.io/spec/core/valid/types.html#sub-types
#pragma once

#include <wasi/error.h>

#include "wasm/module.h"

namespace wasi::validate {

// Bounds of the JavaScript embedding, which producers keep to. Without them an instruction of two bytes could
// move a million operands.
inline constexpr std::size_t kMaxParams = 1000;
inline constexpr std::size_t kMaxResults = 1000;
inline constexpr std::size_t kMaxFields = 10000;

Result<void> validate_types(const wasm::Module& module);

}  // namespace wasi::validate
