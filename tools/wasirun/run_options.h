// The options of `run`, and those that other commands which run programs share with it.
#pragma once

#include <wasi/engine.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>

#include "tools/wasirun/command_line.h"
#include "tools/wasirun/options.h"

namespace wasirun {

// Of a program that is started without options.
RunCommand default_run();

// A number of bytes.
void add_size(CommandApp& app, const char* name, const char* what, std::optional<std::uint64_t>& target);
// What executes programs.
void add_tier(CommandApp& app, wasi::EngineConfig& engine);
// How code checks memory accesses: of everything that makes some.
void add_bounds_checks(CommandApp& app, wasi::EngineConfig& engine);
// Which features of Wasm modules may use.
void add_feature_options(CommandApp& app, wasi::EngineConfig& engine);
// What a program may reach, and how much of it: directories, environment, descriptors.
void add_capability_options(CommandApp& app, RunCommand& run);
// What executes it, and where its machine code is kept.
void add_engine_options(CommandApp& app, RunCommand& run);
// What they mean together, once they have been read.
void finish_engine_options(const CommandApp& app, RunCommand& run);
// All of `run`.
void add_run_options(CommandApp& app, RunCommand& run);

}  // namespace wasirun
