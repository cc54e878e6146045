// Module validation: everything around the bodies at once, the bodies eagerly, in parallel or lazily.
// Source: https://webassembly.github.io/spec/core/valid/modules.html
#pragma once

#include <wasi/error.h>

#include "wasm/module.h"

namespace wasi::validate {

// Checks all that stands outside of bodies: types, imports, limits, constant expressions, segments,
// exports, start; fills module.declared_functions and adds to module.features.
Result<void> validate_module(wasm::Module& module);

// Checks one body. Thread-safe on a module that passed validate_module. Returns the features it uses.
Result<wasm::FeatureSet> validate_function(const wasm::Module& module, wasm::FuncIndex function);

// Checks all bodies on `threads` threads (1: this one); the error is that of the first wrong body in the
// module's order, whatever the number of threads. Adds the bodies' features to module.features.
Result<void> validate_functions(wasm::Module& module, unsigned threads);

}  // namespace wasi::validate
