// Runs the function walk with a translator.
#pragma once

#include <wasi/error.h>

#include "interp/translator.h"
#include "runtime/preparation.h"
#include "wasm/module.h"

namespace wasi::interp {

// Translates the function's body; checks it on the way unless it was `validated`. The result is in the translator. An
// error of `preparation`, too, leaves the translator fit for the next function.
Result<void> translate(Translator& translator, const wasm::Module& module, wasm::FuncIndex function, bool validated,
                       runtime::Preparation& preparation);

}  // namespace wasi::interp
