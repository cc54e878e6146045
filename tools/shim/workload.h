// What a container runs, told by what is in it.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <string>

#include "os/unique_fd.h"
#include "tools/shim/bundle.h"
#include "tools/shim/http_program.h"
#include "tools/shim/wasm_program.h"

namespace wasirun::shim {

enum class WorkloadKind : std::uint8_t {
  wasm,     // a module, in a process of the shim's
  http,     // the same, or an application of several, as an HTTP server
  sandbox,  // a pod's pause process, a native program that needs next to nothing
  native,   // any other program of the host's kind: for runc
};

struct Workload {
  WorkloadKind kind = WorkloadKind::native;
  ProgramName program;             // of a module
  wasi::os::UniqueFd module_file;  // the same; of native programs their own
  // There is no such file in the container: its image may have the module in a layer (image_module.h), else this is the
  // error. Empty: there is.
  std::string missing;
  HttpConfig http;
};

// Looks into the container's root, which is mounted already. A first argument without a slash is looked for in the
// working directory and then where PATH says. A directory with spin.toml or slightfile.toml, or such a file, is an
// application; a module becomes a server by the annotation wasirun.dev/http. What is not there is taken for a module.
// Errors: a file that nothing here can run.
wasi::Result<Workload> find_workload(const Bundle& bundle);

}  // namespace wasirun::shim
