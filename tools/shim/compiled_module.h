// Modules with all of their code, which is compiled once on this host and mapped from then on.
#pragma once

#include <wasi/wasi.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::shim {

// What runs code, and where it is kept.
struct CodeOptions {
  std::string cache_directory;  // empty: none
  std::uint64_t cache_limit = std::uint64_t{1} << 30;
  // The quick compiler, or the interpreter: neither needs a plug-in or a thread.
  wasi::TierSelection tier = wasi::TierSelection::baseline;
};

// That of every container.
wasi::Result<wasi::Engine> make_engine(const CodeOptions& options);

struct ModuleFile {
  int file = -1;     // open; stays the caller's
  std::string name;  // what messages call it
};

struct CompiledModules {
  wasi::Engine engine;
  std::vector<wasi::Module> modules;  // as many as files
};

// Compiles everything, or takes it from the cache, which all containers of the host share: its pages are in memory
// once. Nothing is looked for in the cache afterwards, which matters: what lies at its path inside of a container is
// the guest's to write.
wasi::Result<CompiledModules> load_compiled(std::span<const ModuleFile> files, const CodeOptions& options);

bool exports_function(const wasi::Module& module, std::string_view name);

}  // namespace wasirun::shim
