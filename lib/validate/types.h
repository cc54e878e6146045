// Type definitions: what a declared super type asks for.
// Source: https://webassembly.github.io/spec/core/valid/types.html#sub-types
#pragma once

#include <wasi/error.h>

#include "wasm/module.h"

namespace wasi::validate {

Result<void> validate_types(const wasm::Module& module);

}  // namespace wasi::validate
