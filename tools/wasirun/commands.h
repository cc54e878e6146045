// The commands. Each returns the process's exit code.
#pragma once

#include "tools/wasirun/command_line.h"

namespace wasirun {

// Leaves to the end of the process what it would else have to give back: that has to be an _exit().
int run(const RunCommand& command);
int serve_http(const ServeCommand& command);
int compile(const CompileCommand& command);
int cache(const CacheCommand& command);
int validate(const ValidateCommand& command);
int inspect(const InspectCommand& command);
int explain_caps(const ExplainCapsCommand& command);
int wat(const WatCommand& command);
int objdump(const ObjdumpCommand& command);
int wasm(const WasmCommand& command);
int wast(const WastCommand& command);
int completion(const CompletionCommand& command);
int man(const ManCommand& command);

// Reports "x.wasm: message", or just the message when it names the file already, with the line of a text that is wrong.
int file_failure(const std::string& file, const wasi::Error& error);

}  // namespace wasirun
