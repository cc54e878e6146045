// Where modules and applications come from: see contracts.h and server.h.
#include <filesystem>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/contracts.h"
#include "tools/serve/server.h"

namespace wasirun::serve {

namespace {

constexpr const char* kSpinManifest = "spin.toml";
constexpr const char* kSlightManifest = "slightfile.toml";
constexpr const char* kSlightModule = "app.wasm";

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

}  // namespace

wasi::Result<wasi::Module> load_module(const wasi::Engine& engine, const std::filesystem::path& path) {
  // By its name, so that what somebody downloads as a module does not get out of the sandbox by its contents.
  if (path.extension() == ".cwasm") return wasi::Module::deserialize_file(engine, path);
  return wasi::Module::from_file(engine, path);
}

wasi::Result<void> load_application(GuestSetup& setup, const std::filesystem::path& path) {
  std::filesystem::path file = path;
  if (is_folder(path)) {
    const bool is_spin = is_there(path / kSpinManifest);
    if (!is_spin && !is_there(path / kSlightManifest)) {
      return wasi::fail(wasi::ErrorKind::argument, "the directory {} has neither {} nor {}",
                        wasi::printable(path.string()), kSpinManifest, kSlightManifest);
    }
    file = path / (is_spin ? kSpinManifest : kSlightManifest);
  }
  if (file.extension() != ".toml") {
    setup.module_path = file;
  } else {
    setup.manifest = file;
    if (file.filename() != kSlightManifest) return {};
    setup.module_path = file.parent_path() / kSlightModule;
  }
  setup.module.emplace(WASI_TRY(load_module(setup.engine, setup.module_path)));
  return {};
}

}  // namespace wasirun::serve
