// Which functions and loops in machine code are compiled once more, by the better compiler, and when.
//
// Time is what counts: each running store gives a sample every millisecond (store_sampler.h), for the function in which
// it comes to an entry or a loop then. What calls nothing and has no loop gives none; its callers do, into which it is
// inlined. A function is optimised when the time that was seen in it is about what that will take, in the background.
//
// Calls that begin then are in the new code. A call in progress moves at a loop, if it goes on for as long again: for
// that, a function for this one loop is made, which takes over the frame's slots (on-stack replacement).
//
// Thread-safe. In a forked process it does nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/compile_queue.h"
#include "runtime/native_tuning.h"
#include "runtime/store_sampler.h"

namespace wasi::runtime {

struct ExecState;
struct FunctionCode;
struct ModuleCode;
class NativeTier;
class Preparation;
class TierLog;

struct OptimisePolicyOptions {
  std::uint32_t warm_up_samples = kOptimiseWarmUp;
  std::size_t least_samples = kLeastOptimiseSamples;
  std::uint32_t bytes_per_sample = kBytesPerTimeSample;
  bool is_eager = false;  // everything is a sample, at each entry and turn of a loop: for tests
  unsigned threads = 1;   // 0: who gives the sample compiles
  TierLog* log = nullptr;
};

class OptimisePolicy {
 public:
  OptimisePolicy(NativeTier& native, OptimisePolicyOptions options);
  ~OptimisePolicy();
  OptimisePolicy(const OptimisePolicy&) = delete;
  OptimisePolicy& operator=(const OptimisePolicy&) = delete;

  // From a store's first instance to its end.
  void begin(ExecState& exec);
  void end(ExecState& exec);
  // Something runs that may be optimised.
  void machine_code_exists() {
    if (native_optimises()) sampler_.start();
  }

  // The newest frame, of machine code, stands at an entry or at a loop: counts. Returns where the call goes on when it
  // is to leave its frame, which is at a loop then; else null. Traps where the store has to stop meanwhile.
  const void* sampled(ExecState& exec);
  // The same of interpreted code, in a function that was optimised, at a loop: whether there is something to go on in
  // is for the tier to say afterwards.
  void sampled_in_loop(ExecState& exec, FunctionCode& function, std::uint64_t loop);

  void forget(const ModuleCode& module);
  void wait();

 private:
  [[nodiscard]] bool native_optimises() const;
  [[nodiscard]] bool has_enough(FunctionCode& function);
  [[nodiscard]] bool is_first_of(FunctionCode& function, std::uint64_t loop);
  void ask(ExecState& exec, const CompileJob& job);
  void compile(const CompileJob& job, Preparation& preparation, Absence* absence);

  NativeTier& native_;
  const OptimisePolicyOptions options_;
  StoreSampler sampler_;
  std::atomic<std::uint32_t> samples_{0};
  std::mutex mutex_;
  std::map<std::pair<const ModuleCode*, std::uint32_t>, std::vector<std::uint64_t>> loops_;  // that were asked for
  CompileQueue queue_;
};

}  // namespace wasi::runtime
