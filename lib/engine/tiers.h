// An engine's choice among the tiers.
#pragma once

#include <wasi/error.h>

namespace wasi::detail {

struct EngineState;

// Gives the engine the tier that its configuration asks for, and what that needs.
Result<void> make_tiers(EngineState& engine);

}  // namespace wasi::detail
