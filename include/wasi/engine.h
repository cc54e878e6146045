// The engine: what all modules and stores of a process share (types, tiers, options).
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/memory.h>
#include <wasi/error.h>
#include <wasi/metrics.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wasi {

namespace detail {
struct EngineState;
struct Internals;
}  // namespace detail

// When function bodies are checked. Everything outside of bodies is always checked at load.
enum class Validation : std::uint8_t {
  eager,     // at load, on the calling thread
  parallel,  // at load, on several threads
  lazy,      // each body when its function is first called; a wrong one is a trap (TrapCode::invalid_function)
};

// How accesses to linear memory are kept inside of it.
enum class BoundsChecks : std::uint8_t {
  guard_pages,      // fastest; reserves 8 GiB of address space per memory and handles SIGSEGV. A memory whose
                    // reservation fails gets explicit checks by itself
  explicit_checks,  // a comparison per access; no signal handler, little address space
};

// What executes guest code.
enum class TierSelection : std::uint8_t {
  automatic,    // functions begin in the interpreter, and those in which time is spent go on in machine code: first of
                // the baseline, then of the optimising compiler, where that is installed
  interpreter,  // only the interpreter: no machine code is made, no executable memory is asked for
  baseline,     // machine code of one quick pass, made at a function's first call or by Module::prepare; what cannot
                // have any is interpreted
  optimising,   // the same by the optimising compiler, which is a plug-in: `unsupported` where it is not installed
};

// The processors that machine code is made for: this one, or all that have the level of the x86-64 psABI.
enum class CpuTarget : std::uint8_t {
  native,
  x86_64_v2,  // SSE4.2, POPCNT
  x86_64_v3,  // and AVX2, BMI2, LZCNT
  x86_64_v4,  // and AVX-512 F, BW, CD, DQ, VL
};

// Tools that are told the names of machine code.
enum class CodeTool : std::uint8_t {
  perf_map,  // perf and other profilers, which look for a map in /tmp
  jitdump,   // `perf inject --jit`, of a dump in the working directory
  debugger,  // gdb and lldb, which slow down with much code
};

// Machine code that is kept from one run to the next.
struct CodeCacheConfig {
  // Made, for the user alone, when there is something to keep. WHOM TO TRUST: code in it runs outside of every sandbox,
  // so it must be this user's own, and nobody else may write to it: else nothing is read from it, or kept. Guests that
  // are given it, or a directory above it, to write to can do whatever the process can.
  std::string directory = {};
  // Most bytes of all files together; what was not used for the longest time goes.
  std::uint64_t limit = std::uint64_t{1} << 30;
  // Whether EngineConfig::on_warning is told when code cannot be kept.
  bool tells_failures = true;
};

struct EngineConfig {
  Validation validation = Validation::eager;
  BoundsChecks bounds_checks = BoundsChecks::guard_pages;
  TierSelection tier = TierSelection::automatic;
  // Other than `native`: for modules that are serialised (Module::serialize) and run elsewhere. Where this processor
  // has less than that, modules can be prepared and serialised, but not instantiated.
  CpuTarget cpu = CpuTarget::native;
  // Code charges fuel for what it executes, so that guests can be stopped at a place that depends on nothing but what
  // they did, the same in every tier: Store::set_fuel. Costs time; without it code has nothing of this.
  bool fuel = false;
  // Of the optimising compiler: every access to memory happens as written, and in order with all else that can be seen
  // after a trap. By default memories, globals, tables and objects may lack then what the guest stored before a call
  // ended in an access outside of a memory; and where nobody wants what such an access loads, it may not trap, or
  // another trap come first. Of a guest that stays inside its memories nothing is different.
  bool strict_memory = false;
  // Features of Wasm (by the names that Module::features() uses, e.g. "tail-call") that modules must not use.
  // Not empty: bodies are validated at load even when `validation` is lazy.
  std::vector<std::string> disabled_features = {};
  // Where `tier` is automatic, functions begin in the interpreter, and those in which time is spent are compiled. About
  // so many calls and loop iterations are seen in one before that; large ones take more, by default. 1: all are
  // compiled at their second call or iteration, which is for tests.
  std::optional<std::uint32_t> tier_threshold = {};
  // Most threads that compile in the background; 0: none, whoever runs a function compiles it.
  std::optional<std::uint32_t> tier_threads = {};
  // Where `tier` is automatic: whether the optimising compiler is used. It is loaded when it is first wanted, and with
  // it some 40 MB of memory.
  bool optimises = true;
  // Functions are optimised when so many milliseconds were seen to go by in them, or more, where they are large. 0: all
  // are, at the second call or iteration in machine code, which is for tests.
  std::optional<std::uint32_t> optimise_threshold = {};
  // For Module::profile(): all is interpreted, whatever `tier` says, and the code of compiled modules not used.
  bool records_profile = false;
  bool records_tier_changes = false;  // for Engine::tier_changes()
  bool counts_optimisations = false;  // for Engine::optimisations()
  // Most bytes of machine code that all modules together have; what finds no room is interpreted. At most 1 GiB.
  std::uint64_t code_memory_limit = std::uint64_t{512} << 20;
  std::vector<CodeTool> code_tools = {};
  // Machine code of one quick pass comes with notes of where its locals are, for core dumps (the command's --coredump).
  // It is as fast, and takes more memory. Code of the cache and of compiled modules has no notes.
  bool core_dumps = false;
  // Where code of modules is looked for, once they have run for a millisecond, or before they are prepared, and kept
  // when the last handle and instance of a module goes. Engines in any number of processes may share a directory.
  // Whatever goes wrong with it, modules run all the same.
  std::optional<CodeCacheConfig> cache = {};
  // Told, once each, what makes the engine do less than it was asked for and still run everything: the host refuses
  // machine code, the limit for it is reached. Called from any thread that runs guests or prepares modules; does not
  // throw, and calls nothing of this library. By default such things are not told.
  std::function<void(const std::string& message)> on_warning = {};
};

// A handle to an engine: copies share it, and modules and stores keep it alive. One per process is usual.
// Thread-safe: any number of threads may load modules and make stores at once.
class Engine {
 public:
  // With the default configuration.
  WASI_API Engine();
  Engine(const Engine&) = default;  // no moves: a moved-from handle stays valid
  Engine& operator=(const Engine&) = default;
  // Fails with `argument` for a feature, a tier or a tool that does not exist, with `io` where a tool cannot be told of
  // code. A host that refuses machine code is no failure: the interpreter runs everything then (on_warning).
  WASI_API static Result<Engine> create(EngineConfig config);

  [[nodiscard]] WASI_API const EngineConfig& config() const;
  [[nodiscard]] WASI_API TierMetrics metrics() const;
  // The same by tiers, the lowest first.
  [[nodiscard]] WASI_API std::vector<TierMetrics> tiers() const;
  // Which functions were compiled when and why, in order, if the configuration says that it is recorded.
  [[nodiscard]] WASI_API std::vector<TierChange> tier_changes() const;
  // What compilers did beyond the simplest code, if the configuration says that it is counted; empty where nothing is
  // ever compiled.
  [[nodiscard]] WASI_API std::vector<OptimisationCount> optimisations() const;

 private:
  friend struct detail::Internals;
  explicit Engine(std::shared_ptr<detail::EngineState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::EngineState> state_;
};

// The library's version: "0.1.0".
WASI_API const char* version();

// The file of the optimising compiler's plug-in, which is loaded for that, as it is when an engine wants it first: from
// the environment variable WASIRUN_LLVM_PLUGIN, or wasirun/wasirun-llvm.so in a folder lib beside the library or the
// executable. `unsupported` error, with the reason, where there is none that can be had.
WASI_API Result<std::string> optimising_compiler();

}  // namespace wasi
