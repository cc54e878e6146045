// What stands for imports that nobody defined, where the embedder asks for it.
#pragma once

#include <wasi/error.h>
#include <wasi/linker.h>

#include <optional>

#include "engine/state.h"
#include "runtime/instance.h"
#include "wasm/module.h"

namespace wasi::detail {

// Made in `store`; empty where `choice` leaves the import unknown. Errors: `limit` where the store has no room for it,
// `unlinkable` where there is no zero of its type.
Result<std::optional<runtime::External>> stand_in(UnknownImports choice, StoreState& store, const wasm::Module& module,
                                                  const wasm::Import& import);

}  // namespace wasi::detail
