// What the command line gives to programs, as the library takes it.
#pragma once

#include <wasi/store.h>
#include <wasi/wasi_config.h>

#include "tools/wasirun/command_line.h"

namespace wasirun {

// Environment, directories and limits; neither arguments nor streams.
void give_capabilities(const RunCommand& command, wasi::WasiConfig& config);
// But for the deadline.
wasi::StoreConfig store_config_of(const RunCommand& command);

}  // namespace wasirun
