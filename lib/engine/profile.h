// Profiles of modules: which one a profile is of.
#pragma once

#include <wasi/profile.h>

#include <cstdint>
#include <string>

#include "wasm/module.h"

namespace wasi::detail {

// Calls and iterations from one sample to the next: some ten microseconds of the interpreter's.
inline constexpr std::uint32_t kProfilePeriod = 512;

// The hash of a module's bytes, as profiles have it.
std::string profile_hash(const wasm::Module& module);

}  // namespace wasi::detail
