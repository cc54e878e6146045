// The message for imports that nobody defined: what is missing, and what the module was probably made for.
#pragma once

#include <wasi/error.h>

#include <span>

#include "wasm/module.h"

namespace wasi::detail {

struct LinkerState;

// An `unlinkable` error for `missing`, which is not empty.
Error missing_import(const LinkerState& linker, const wasm::Module& module,
                     std::span<const wasm::Import* const> missing);

}  // namespace wasi::detail
