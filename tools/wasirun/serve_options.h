// The options of `serve`.
#pragma once

#include <span>

#include "tools/wasirun/command_line.h"
#include "tools/wasirun/options.h"

namespace wasirun {

Command parse_serve(CommandApp& app, std::span<const char* const> args);

}  // namespace wasirun
