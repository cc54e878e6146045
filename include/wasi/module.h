// A module: decoded and checked code that stores instantiate.
// Source: https://webassembly.github.io/spec/core/syntax/modules.html
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/memory.h>
#include <wasi/engine.h>
#include <wasi/error.h>
#include <wasi/metrics.h>
#include <wasi/path_view.h>
#include <wasi/profile.h>
#include <wasi/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasi {

namespace detail {
struct ModuleState;
}

// A section as it stands in the file.
struct SectionInfo {
  std::uint8_t id = 0;       // 0: custom
  std::string name;          // of a custom section its own, else the spec's: "type", "code", ...
  std::uint64_t offset = 0;  // of the contents in the module's bytes
  std::uint64_t size = 0;    // of the contents, in bytes
};

// How many things a module has; imported ones are counted in.
struct ModuleCounts {
  std::uint64_t bytes = 0;
  std::uint64_t types = 0;
  std::uint64_t functions = 0;
  std::uint64_t tables = 0;
  std::uint64_t memories = 0;
  std::uint64_t globals = 0;
  std::uint64_t tags = 0;
  std::uint64_t imports = 0;
  std::uint64_t exports = 0;
  std::uint64_t data_segments = 0;
  std::uint64_t element_segments = 0;
};

// A handle to an immutable module: copies share it, instances keep it alive.
// Thread-safe: any thread may use it, any number of stores may instantiate it at once; they share its code.
class Module {
 public:
  Module(const Module&) = default;  // no moves: a moved-from handle stays valid
  Module& operator=(const Module&) = default;

  // Loads a file. It is read, not mapped: whatever happens to the file afterwards, the module is what it was. The
  // text format (WAT) is read too, where the file begins like a text or its name ends in ".wat". Errors: `io` when the
  // file cannot be read or becomes shorter meanwhile, `malformed` and `invalid` with the byte offset or the place in
  // the text, `limit` beyond 4 GiB, `unsupported` for a component, or what serialize() made.
  WASI_API static Result<Module> from_file(const Engine& engine, PathView path);
  // Loads from memory: a copy of `bytes`, or the vector itself; a binary module or a text, which begins with a
  // parenthesis or a comment. What is neither is named in the error, if it is something well known: an archive, an
  // executable, a web page.
  WASI_API static Result<Module> from_bytes(const Engine& engine, std::span<const std::uint8_t> bytes);
  WASI_API static Result<Module> from_bytes(const Engine& engine, std::vector<std::uint8_t>&& bytes);

  // Loads the text format, whatever the text begins with.
  WASI_API static Result<Module> from_text(const Engine& engine, std::string_view text);

  // The module with the machine code that its functions have by now, as bytes which deserialize() loads wherever the
  // same build of the library runs, on a processor that has what Engine::config().cpu says. After prepare() of an
  // engine whose tier is `baseline` that is all code, so that nothing is compiled any more; functions without are
  // translated or compiled when they are called. The same module, prepared by engines of the same configuration, gives
  // the same bytes. Errors: `limit` without memory.
  [[nodiscard]] WASI_API Result<std::vector<std::uint8_t>> serialize() const;
  // Loads what serialize() made, without compiling anything, in a time that hardly depends on the module's size.
  //
  // WHOM TO TRUST: such bytes are machine code that runs in this process, outside of every sandbox. Whoever can write
  // them, or the file, can do what this process can. Load none that comes from where programs come from; that is why
  // from_file() and from_bytes() refuse them. Checksums are for damage, not for malice.
  //
  // A file is mapped, not read: it must stay as it is for as long as the module lives. Replace it by another of its
  // name (rename), never write into it; where it is cut off, the process ends by a signal. Where the host does not let
  // it be executed, as for bytes in memory, functions are copied to memory of the engine's when they are first called.
  // The code is looked at, and its checksum, when a function is first called; one that is damaged is compiled anew or
  // interpreted, and EngineConfig::on_warning told.
  //
  // Where the engine makes no machine code (TierSelection::interpreter), the module is interpreted. Errors: `io` where
  // the file cannot be read; `malformed` for what is damaged, cut off, or no such thing; `unsupported` where another
  // build of the library made it, where this processor lacks what it was compiled for, or where the engine checks
  // bounds, charges fuel or disables features differently from the one that compiled it.
  WASI_API static Result<Module> deserialize_file(const Engine& engine, PathView path);
  // The same for a part of a file, from `offset` on, in whole pages.
  WASI_API static Result<Module> deserialize_file(const Engine& engine, PathView path, std::uint64_t offset,
                                                  std::uint64_t size);
  // From memory: a copy of `bytes`, or the vector itself.
  WASI_API static Result<Module> deserialize(const Engine& engine, std::span<const std::uint8_t> bytes);
  WASI_API static Result<Module> deserialize(const Engine& engine, std::vector<std::uint8_t>&& bytes);
  // Whether bytes, or the first sixteen of them, begin like what serialize() makes.
  [[nodiscard]] WASI_API static bool is_serialized(std::span<const std::uint8_t> bytes);

  // Checks all of a module, binary or text, bodies included, whatever the engine's Validation says. Nothing is kept.
  WASI_API static Result<void> validate(const Engine& engine, std::span<const std::uint8_t> bytes);

  // Makes all functions ready to run at once, on all processors, instead of each at its first call: translated or
  // compiled, as the engine's tier has it. A body that is wrong, where bodies are validated lazily, is so at its call.
  // `progress` is called after each function, from several threads but one at a time, with the bytes of bodies that are
  // done and of all; it does not throw. What this takes counts for no store's limit.
  using PrepareProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  WASI_API Result<void> prepare(const PrepareProgress& progress = {}) const;

  // What compile() makes by the optimising compiler, and what by the baseline compiler.
  enum class Optimise : std::uint8_t {
    nothing,     // all by the baseline compiler; the same as prepare()
    hot,         // what will run much, as a profile or else a guess from the code says, by the optimising one
    everything,  // all of it
  };
  struct CompileOptions {
    Optimise optimise = Optimise::hot;
    const Profile* profile = nullptr;  // what runs much; null: it is guessed
    unsigned threads = 0;              // 0: one for each processor. The code does not depend on it
    PrepareProgress progress = {};     // as of prepare(), the bytes weighed by what they take
  };
  // Compiles all functions now, so that serialize() has them: for modules that are compiled once and run often. The
  // engine's tier is to be `baseline`, or `optimising`, which makes no difference. Where the optimising compiler is not
  // installed, `hot` makes all by the baseline compiler and tells EngineConfig::on_warning. Functions that have code
  // already keep it. What cannot be compiled by one compiler is by the next, or interpreted.
  // Says what each tier has made: the optimising one first, where it was asked for. Times are those that threads ran,
  // all together. Errors: `argument` for another tier, or a profile of another module; `unsupported` where `everything`
  // is to be optimised and the compiler is not there; `limit`.
  WASI_API Result<std::vector<TierMetrics>> compile(const CompileOptions& options) const;

  // What instances of the module were seen doing, in all stores, where EngineConfig::records_profile says so; else
  // nothing. May be asked while they run.
  [[nodiscard]] WASI_API Profile profile() const;

  // In the module's order.
  [[nodiscard]] WASI_API std::vector<ImportType> imports() const;
  [[nodiscard]] WASI_API std::vector<ExportType> exports() const;
  // The name in the name section; empty where there is none.
  [[nodiscard]] WASI_API std::string name() const;
  // (function index, name), sorted by index, from the name section.
  [[nodiscard]] WASI_API std::vector<std::pair<std::uint32_t, std::string>> function_names() const;

  // The contents of all custom sections of a name, in the module's order; they exist as long as a handle to the module,
  // or an instance of it. `malformed` where those of a serialised module are damaged.
  [[nodiscard]] WASI_API Result<std::vector<std::span<const std::uint8_t>>> custom_sections(
      std::string_view name) const;

  // For tools.
  [[nodiscard]] WASI_API std::vector<SectionInfo> sections() const;
  [[nodiscard]] WASI_API ModuleCounts counts() const;
  // Names of the features that the module uses. Bodies count when they were validated at load.
  [[nodiscard]] WASI_API std::vector<std::string_view> features() const;
  // Those of them that this version cannot execute yet: such a module is refused at instantiation.
  [[nodiscard]] WASI_API std::vector<std::string_view> unsupported_features() const;
  [[nodiscard]] WASI_API ModuleMetrics metrics() const;

 private:
  friend struct detail::Internals;
  explicit Module(std::shared_ptr<detail::ModuleState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::ModuleState> state_;
};

}  // namespace wasi
