// What the shim itself tells a container's user, on the container's standard error; and exit codes.
#pragma once

#include <string_view>

namespace wasirun::shim {

// The exit code of a guest that trapped: that of abort() in a shell.
inline constexpr int kTrapExitCode = 134;
inline constexpr int kFailureExitCode = 1;

void write_error(std::string_view line);

// Writes "wasirun: MESSAGE"; kFailureExitCode.
int fail_program(std::string_view message);

}  // namespace wasirun::shim
