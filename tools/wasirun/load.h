// Modules for commands that look into them: decoded, not validated.
#pragma once

#include <wasi/error.h>

#include <memory>
#include <string>

#include "wasm/module.h"

namespace wasirun {

wasi::Result<std::shared_ptr<wasi::wasm::Module>> load_module(const std::string& path);

}  // namespace wasirun
