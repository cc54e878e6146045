// Which functions get machine code, and when.
//
// Each store has a budget of calls and loop iterations (budget.h). Where it ends, the function that runs is credited
// with a sample: a profile of where the time goes that costs a decrement, has no memory per function beyond what its
// record holds anyway, is shared by all instances of a module, and writes nothing that threads share but once per
// sample. How much a budget holds varies, so that a program's own rhythm does not hide a part of it, and a new store
// begins with a part of one: programs that end before their first budget does are seen as often as others.
//
// A function is compiled when the time that it seems to have taken is what its compilation will take: so whatever a
// program does, it never takes more than twice its time. Small ones are compiled by the thread that runs them, larger
// ones in the background (compile_queue.h).
//
// Where code may be kept from an earlier run (ModuleCode::recall) it is looked for somewhat earlier, in the background,
// or when much of the module was translated: programs that end at once do not wait for that either. When threads have
// nothing else to do, they compile for the next run what merely ran: a program that does much once would be interpreted
// for ever otherwise.
//
// Thread-safe. In a forked process it does nothing: its threads are not there, and code memory is the parent's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/native_tuning.h"
#include "runtime/optimise_policy.h"

namespace wasi::runtime {

class CompileQueue;
class NativeTier;
class Preparation;
class TierLog;
struct CompileJob;
struct ModuleCode;

struct TierPolicyOptions {
  std::uint32_t period = kSamplingPeriod;            // calls and iterations from one sample to the next; 1: each is one
  std::uint32_t warm_up_samples = kWarmUpSamples;    // of all functions, before the first is compiled,
  std::uint32_t hot_samples = kHotSamples;           // or of itself
  std::uint32_t recall_samples = kRecallSamples;     // of all functions, before code from earlier is looked for
  std::uint32_t least_samples = 1;                   // of a function that is compiled,
  std::uint32_t bytes_per_sample = kBytesPerSample;  // of a body: so much is worth its compilation after one sample
  std::size_t immediate_bytes = kImmediateBytes;     // larger bodies are compiled in the background
  unsigned threads = kCompileThreads;                // 0: all are compiled at once
  TierLog* log = nullptr;                            // is told what is compiled; outlives the policy
  OptimisePolicyOptions optimise = {};               // what runs in machine code then
};

class TierPolicy {
 public:
  explicit TierPolicy(NativeTier& native, TierPolicyOptions options = {});
  // No store uses it by then. Waits for what is being compiled, which is cancelled.
  ~TierPolicy();
  TierPolicy(const TierPolicy&) = delete;
  TierPolicy& operator=(const TierPolicy&) = delete;

  // When a store gets its first instance, and before it goes.
  void begin(ExecState& exec);
  void end(ExecState& exec);
  // The next budget.
  std::uint32_t next_budget(ExecState& exec) const;

  // The budget has ended at a call of `function`, or in the loop whose `loop` instruction is at that byte of the
  // module, while `exec` ran. Compiles it, if it is to be compiled at once; traps where the store has to stop
  // meanwhile.
  void sampled(ExecState& exec, FunctionCode& function, std::optional<std::uint64_t> loop);

  // A body of so many bytes was, of a module of which code is kept from run to run.
  void prepared(ModuleCode& module, std::size_t bytes);

  // Of such a module, which nobody runs any more: at most so many bytes of bodies that ran have no code yet that
  // keep_the_rest() could make.
  [[nodiscard]] std::uint64_t rest_to_keep(const ModuleCode& module) const;
  // Compiles those for the next run, as many as can be had in a short time.
  void keep_the_rest(ModuleCode& module);

  // What runs in machine code from now on; null: it stays as it is.
  [[nodiscard]] OptimisePolicy* optimiser() const { return optimiser_.get(); }

  // Before a module goes: its functions are not compiled any more. Waits for one that is, which is cancelled.
  void forget(const ModuleCode& module);

  // Waits until nothing is left to compile. For tests.
  void wait();

  [[nodiscard]] const TierPolicyOptions& options() const { return options_; }

 private:
  void recall_when_warm(ModuleCode& module);
  void keep_what_ran(ModuleCode& module, Preparation& preparation);
  [[nodiscard]] bool is_wanted(FunctionCode& function, std::size_t body_bytes);
  void compile_now(ExecState& exec, const CompileJob& job);
  void compile(const CompileJob& job, Preparation& preparation, bool in_background);

  NativeTier& native_;
  const TierPolicyOptions options_;
  std::atomic<std::uint32_t> stores_{0};
  std::atomic<std::uint32_t> samples_{0};
  std::unique_ptr<OptimisePolicy> optimiser_;
  std::unique_ptr<CompileQueue> queue_;
};

}  // namespace wasi::runtime
