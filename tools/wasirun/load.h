// Where commands get modules from: a file, or standard input.
#pragma once

#include <wasi/wasi.h>

#include <memory>
#include <string>

#include "os/file_content.h"
#include "wasm/module.h"

namespace wasirun {

// "-" stands for standard input, which is read to its end.
bool is_standard_input(const std::string& path);
// As messages call it: the path, printable, or "standard input".
std::string name_of(const std::string& path);

// The bytes, whatever they are.
wasi::Result<std::shared_ptr<const wasi::os::FileContent>> open_file(const std::string& path);
// Loaded by an engine, for commands that run or check modules.
wasi::Result<wasi::Module> load_module(const wasi::Engine& engine, const std::string& path);
// The same; a file whose name ends in ".cwasm" is a compiled module, which may do whatever the command may.
wasi::Result<wasi::Module> load_program(const wasi::Engine& engine, const std::string& path);
// Decoded, not validated, for commands that look into them.
wasi::Result<std::shared_ptr<wasi::wasm::Module>> decode_module(const std::string& path);

}  // namespace wasirun
