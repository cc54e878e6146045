// Profiles of modules: which one a profile is of.
#pragma once

#include <wasi/profile.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/call_sites.h"
#include "wasm/module.h"

namespace wasi::detail {

// Calls and iterations from one sample to the next: some ten microseconds of the interpreter's.
inline constexpr std::uint32_t kProfilePeriod = 512;

// The hash of a module's bytes, as profiles have it.
std::string profile_hash(const wasm::Module& module);

// Whom calls by reference reached, of the functions that the profile has.
void add_callees(Profile& profile, const wasm::Module& module, std::span<const runtime::SeenCall> seen);
// And back, by the calls' offsets: of each call the most frequent callees.
std::vector<runtime::SeenCall> seen_calls(const Profile& profile, const wasm::Module& module);

}  // namespace wasi::detail
