// The engine: what all modules and stores of a process share (types, tiers, options).
#pragma once

#include <wasi/detail/export.h>
#include <wasi/error.h>
#include <wasi/metrics.h>

#include <cstdint>
#include <memory>
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
  automatic,    // whatever is best among the tiers of this version
  interpreter,  // only the interpreter
};

struct EngineConfig {
  Validation validation = Validation::eager;
  BoundsChecks bounds_checks = BoundsChecks::guard_pages;
  TierSelection tier = TierSelection::automatic;
  // Features of Wasm (by the names that Module::features() uses, e.g. "tail-call") that modules must not use.
  // Not empty: bodies are validated at load even when `validation` is lazy.
  std::vector<std::string> disabled_features = {};
};

// A handle to an engine: copies share it, and modules and stores keep it alive. One per process is usual.
// Thread-safe: any number of threads may load modules and make stores at once.
class Engine {
 public:
  // With the default configuration.
  WASI_API Engine();
  Engine(const Engine&) = default;  // no moves: a moved-from handle stays valid
  Engine& operator=(const Engine&) = default;
  // Fails with `argument` for a feature that does not exist.
  WASI_API static Result<Engine> create(EngineConfig config);

  [[nodiscard]] WASI_API const EngineConfig& config() const;
  [[nodiscard]] WASI_API TierMetrics metrics() const;

 private:
  friend struct detail::Internals;
  explicit Engine(std::shared_ptr<detail::EngineState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::EngineState> state_;
};

// The library's version: "0.1.0".
WASI_API const char* version();

}  // namespace wasi
