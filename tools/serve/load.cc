// Where modules come from: see contracts.h.
#include "tools/serve/contracts.h"

namespace wasirun::serve {

wasi::Result<wasi::Module> load_module(const wasi::Engine& engine, const std::filesystem::path& path) {
  // By its name, so that what somebody downloads as a module does not get out of the sandbox by its contents.
  if (path.extension() == ".cwasm") return wasi::Module::deserialize_file(engine, path);
  return wasi::Module::from_file(engine, path);
}

}  // namespace wasirun::serve
