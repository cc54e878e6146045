// The options of `serve`.
#pragma once

#include <span>

#include "tools/wasirun/command_line.h"

namespace wasirun {

Command parse_serve(std::span<const char* const> args);

}  // namespace wasirun
