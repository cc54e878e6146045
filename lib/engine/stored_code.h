// A module's machine code in the cache: looked for once, and kept when the module goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/code_cache.h"
#include "jit/common/code_image.h"
#include "jit/common/native_module.h"
#include "os/file_content.h"
#include "os/file_identity.h"
#include "wasm/module.h"

namespace wasi::detail {

struct EngineState;
struct ModuleState;

// Thread-safe.
class StoredCode {
 public:
  // `target` is asked when it is needed: the processor would have to say what it has. `content`: that the module's
  // bytes are all of; null where they lie elsewhere.
  StoredCode(std::shared_ptr<const CodeCache> cache, std::shared_ptr<const wasm::Module> module,
             std::shared_ptr<const os::FileContent> content, std::function<jit::CodeTarget()> target)
      : cache_(std::move(cache)),
        module_(std::move(module)),
        content_(std::move(content)),
        target_(std::move(target)) {}

  // The module was read from this file, as it is now.
  void know_file(const os::FileIdentity& file, std::string options) {
    file_ = file;
    file_options_ = std::move(options);
  }
  // Code that was found already, and given to the module.
  void set_found(CodeCache::Found found) {
    name_ = found.name;
    found_ = std::move(found);
  }
  // Gives the module what is there.
  void recall(jit::NativeModule& native);
  // What ran and has no code yet.
  struct Rest {
    std::uint64_t body_bytes = 0;   // about
    std::function<void()> compile;  // as much of it as can be had
  };
  // Keeps what was compiled, if it is worth it, and the rest, with what is there by now. Nothing where nothing was
  // compiled.
  Result<void> keep(jit::NativeModule& native, const Rest& rest);

 private:
  const std::string& name();
  void note_file();
  [[nodiscard]] bool is_worth_writing(std::uint64_t compiled_bytes, std::uint64_t rest_bytes) const;

  const std::shared_ptr<const CodeCache> cache_;
  const std::shared_ptr<const wasm::Module> module_;
  const std::shared_ptr<const os::FileContent> content_;
  const std::function<jit::CodeTarget()> target_;
  std::mutex mutex_;
  std::string name_;  // empty: not known yet, since the module has to be read for it
  std::optional<CodeCache::Found> found_;
  std::optional<os::FileIdentity> file_;  // empty: of no file, or one that is read quickly
  std::string file_options_;
};

// Module files at which the cache looks before they are read; empty: this one is read anyway. `options` are what the
// module that comes of it depends on, but for the processor.
struct KnownFile {
  os::FileIdentity file;
  std::string options;
};
std::optional<KnownFile> known_file(const EngineState& engine, const std::optional<os::FileIdentity>& file);
// The module of such a file, as the cache has it; null where it has not.
std::shared_ptr<ModuleState> load_known(const std::shared_ptr<EngineState>& engine, const KnownFile& file);

}  // namespace wasi::detail
