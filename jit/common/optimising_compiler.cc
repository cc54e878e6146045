#include "jit/common/optimising_compiler.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/guard.h"
#include "base/result.h"
#include "runtime/preparation_host.h"
#include "runtime/trap_raise.h"

namespace wasi::jit {

namespace {

constexpr const char* kFile = "wasirun-llvm.so";
constexpr const char* kVariable = "WASIRUN_LLVM_PLUGIN";  // chooses another

// Where a file is that holds this function: the executable, or the library.
std::filesystem::path own_folder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::filesystem::path() : file.parent_path();
}

std::vector<std::filesystem::path> candidates() {
  if (const char* const chosen = secure_getenv(kVariable); chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const std::filesystem::path& folder : {own_folder(), executable}) {
    if (folder.empty()) continue;
    // Beside a library, and beside the folder of an executable; where all of it is built, one further up.
    for (const char* const way : {"wasirun", "../lib/wasirun", "../../lib/wasirun"}) {
      found.push_back((folder / way / kFile).lexically_normal());
    }
  }
  return found;
}

struct Loaded {
  std::shared_ptr<OptimisingCompiler> compiler;
  std::filesystem::path file;
};

Result<Loaded> load() {
  std::string first_error;
  for (const std::filesystem::path& file : candidates()) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) continue;
    // Never closed: LLVM has state of its own in the process.
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      if (first_error.empty()) first_error = dlerror();
      continue;
    }
    const auto make = reinterpret_cast<MakeOptimisingCompiler>(dlsym(library, kOptimisingCompilerSymbol));
    OptimisingCompiler* const compiler = make == nullptr ? nullptr : make(kOptimisingCompilerVersion);
    const auto ask_host = reinterpret_cast<void (*)(runtime::MustStop)>(dlsym(library, runtime::kAskHostSymbol));
    if (ask_host != nullptr) ask_host(&runtime::must_stop);
    if (compiler != nullptr) return Loaded{std::shared_ptr<OptimisingCompiler>(compiler), file};
    if (first_error.empty()) first_error = file.string() + " belongs to another version of wasirun";
  }
  if (!first_error.empty()) return fail(ErrorKind::unsupported, "the optimising tier cannot be had: {}", first_error);
  const char* const chosen = secure_getenv(kVariable);
  return fail(ErrorKind::unsupported, "the optimising tier is not installed: {} was not found",
              chosen != nullptr && *chosen != '\0' ? chosen : kFile);
}

// Once; where there is none it is looked for again.
Result<Loaded> loaded() {
  static std::mutex mutex;
  static std::optional<Loaded> once;
  const std::lock_guard lock(mutex);
  if (!once) once = WASI_TRY(guarded([] { return load(); }));
  return *once;
}

}  // namespace

Result<std::shared_ptr<OptimisingCompiler>> load_optimising_compiler() { return WASI_TRY(loaded()).compiler; }

Result<std::filesystem::path> optimising_compiler_file() { return WASI_TRY(loaded()).file; }

}  // namespace wasi::jit
