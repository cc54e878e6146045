// The tiers that this build has, and an engine's choice among them.
#pragma once

#include <wasi/error.h>

namespace wasi::detail {

struct EngineState;

// False until the compiler is complete (the option WASIRUN_BASELINE of the build).
inline constexpr bool kHasBaseline = WASIRUN_BASELINE != 0;

// Gives the engine the tier that its configuration asks for, and what that needs.
Result<void> make_tiers(EngineState& engine);

}  // namespace wasi::detail
