// Preparation of a whole module before its first call, on several threads.
#include <wasi/module.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/guard.h"
#include "base/on_threads.h"
#include "base/result.h"
#include "engine/state.h"
#include "runtime/memory_storage.h"
#include "runtime/preparation.h"

namespace wasi {

runtime::BoundsChecks detail::likely_checks(const wasm::Module& module, const EngineConfig& config) {
  const auto configured = bounds_checks_of(config);
  return std::ranges::all_of(module.memories, runtime::MemoryStorage::can_be_guarded)
             ? configured
             : runtime::BoundsChecks::explicit_checks;
}

namespace {

// Of bodies, in bytes: what the baseline compiler does in a few milliseconds. For less, a thread of its own, with its
// stack and its part of the heap, costs more than it saves; most of all where there is but one processor, or a part of
// one.
constexpr std::uint64_t kWorthThread = 64U << 10;

class Work {
 public:
  Work(runtime::ModuleCode& code, const Module::PrepareProgress& progress) : code_(code), progress_(progress) {
    for (const wasm::FunctionBody& body : bodies()) total_ += body.size;
  }

  // On this thread and, where they can be had, on others: no more than have `share` bytes each.
  void run(std::uint64_t share) {
    const std::size_t threads =
        std::min<std::size_t>({std::thread::hardware_concurrency(), bodies().size(), 1 + total_ / share});
    base::on_threads(threads, [this](std::size_t) { prepare_functions(); });
  }

 private:
  [[nodiscard]] const std::vector<wasm::FunctionBody>& bodies() const { return code_.module->bodies; }

  void prepare_functions() {
    for (;;) {
      const std::size_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= bodies().size()) return;
      runtime::FunctionCode& function =
          code_.code(wasm::FuncIndex(code_.module->imported_functions + static_cast<std::uint32_t>(i)));
      runtime::Preparation unbounded;
      // What is wrong is told to whoever calls it.
      if (function.entry.load(std::memory_order_acquire) == nullptr) {
        static_cast<void>(code_.prepare(function, unbounded));
      }
      if (!progress_) continue;
      const std::lock_guard lock(mutex_);
      done_ += bodies()[i].size;
      progress_(done_, total_);
    }
  }

  runtime::ModuleCode& code_;
  const Module::PrepareProgress& progress_;
  std::uint64_t total_ = 0;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // held to tell the progress
  std::uint64_t done_ = 0;
};

}  // namespace

Result<void> Module::prepare(const PrepareProgress& progress) const {
  return guarded([&]() -> Result<void> {
    const auto checks = detail::likely_checks(*state_->module, state_->engine->config);
    runtime::ModuleCode& code = *state_->code()[static_cast<std::size_t>(checks)];
    if (code.may_recall.exchange(false)) code.recall();
    Work(code, progress).run(state_->engine->config.tier == TierSelection::optimising ? 1 : kWorthThread);
    return {};
  });
}

}  // namespace wasi
