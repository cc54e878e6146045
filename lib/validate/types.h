// Type definitions: what a declared super type asks for.
// Source: https://webassembly.github.io/spec/core/valid/types.html#sub-types
#pragma once

#include <wasi/error.h>

#include "wasm/module.h"
#include "wasm/type_registry.h"

namespace wasi::validate {

// Whether a type may be declared below another, which is not final.
bool matches_supertype(const wasm::TypeRegistry& registry, const wasm::SubType& sub, const wasm::SubType& super);

Result<void> validate_types(const wasm::Module& module);

}  // namespace wasi::validate
