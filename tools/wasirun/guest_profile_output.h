// What `--profile guest` writes: samples for the Firefox profiler, and a flame graph.
#pragma once

#include <string>
#include <string_view>

#include "engine/guest_profile.h"

namespace wasirun {

// The processed profile format, version 62, as JSON; https://profiler.firefox.com opens it.
// Source: https://github.com/firefox-devtools/profiler/blob/main/src/types/profile.ts
std::string firefox_profile(const wasi::detail::GuestProfile& profile, std::string_view program);

// One page that needs nothing else: a flame graph in which one can zoom and search.
std::string flame_graph(const wasi::detail::GuestProfile& profile, std::string_view program);

// "add", or "function 7" where it has no name.
std::string name_of(const wasi::detail::GuestProfile::Function& function);

}  // namespace wasirun
