// A module with all of its code, which is compiled once on this host and mapped from then on.
#pragma once

#include <wasi/wasi.h>

#include <string>
#include <string_view>

namespace wasirun::shim {

// That of every container: its code is the quick compiler's, which needs no plug-in and no thread.
// `cache_directory`: of compiled code; empty: none.
wasi::Result<wasi::Engine> make_engine(const std::string& cache_directory);

struct CompiledModule {
  wasi::Engine engine;
  wasi::Module module;
};

// From an open file, which messages call `name`. Compiles everything, or takes it from the cache, which all containers
// of the host share: its pages are in memory once. Nothing is looked for in the cache afterwards, which matters: what
// lies at its path inside of a container is the guest's to write.
wasi::Result<CompiledModule> load_compiled(int file, const std::string& name, const std::string& cache_directory);

bool exports_function(const wasi::Module& module, std::string_view name);

}  // namespace wasirun::shim
