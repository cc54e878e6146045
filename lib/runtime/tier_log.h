// What became of functions that were to get machine code: for `--profile tiers`.
//
// Thread-safe. Where there is no memory for an entry it is left out.
#pragma once

#include <wasi/error.h>
#include <wasi/metrics.h>

#include <chrono>
#include <mutex>
#include <vector>

namespace wasi::runtime {

struct FunctionCode;
struct ModuleCode;

class TierLog {
 public:
  using Clock = std::chrono::steady_clock;

  // The function was compiled from `begin` until now, with this outcome. `change` says the tier, why and by whom; the
  // rest is filled in.
  void add(ModuleCode& module, const FunctionCode& function, TierChange change, Clock::time_point begin,
           const Result<void>& outcome);
  // In the order in which they were added.
  [[nodiscard]] std::vector<TierChange> changes() const;

 private:
  const Clock::time_point begin_ = Clock::now();
  mutable std::mutex mutex_;
  std::vector<TierChange> changes_;
};

}  // namespace wasi::runtime
