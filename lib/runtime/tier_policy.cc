#include "runtime/tier_policy.h"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "base/guard.h"
#include "base/on_threads.h"
#include "runtime/compile_queue.h"
#include "runtime/module_code.h"
#include "runtime/native_tier.h"
#include "runtime/preparation.h"
#include "runtime/sample_counts.h"
#include "runtime/stack_walk.h"
#include "runtime/tier_log.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

namespace {

// xorshift: for variation, not for secrets.
std::uint32_t next_number(std::uint32_t& state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

// A number below `bound`.
std::uint32_t below(std::uint32_t bound, std::uint32_t& state) {
  return static_cast<std::uint32_t>((std::uint64_t{next_number(state)} * bound) >> 32);
}

// One for the threads that run. The standard library would read files to know, at the start of every program.
unsigned threads_to_use(unsigned most) {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return most;  // more than the set has room for
  return std::min(most, static_cast<unsigned>(std::max(2, CPU_COUNT(&cores))) - 1);
}

}  // namespace

TierPolicy::TierPolicy(NativeTier& native, TierPolicyOptions options) : native_(native), options_(options) {
  const auto work = [this](const CompileJob& job, Preparation& preparation, Absence& /*absence*/) {
    compile(job, preparation, true);
  };
  const unsigned threads = threads_to_use(options.threads);
  if (native.optimises()) {
    OptimisePolicyOptions optimise = options.optimise;
    optimise.threads = std::min(options.threads, threads);
    optimise.log = options.log;
    optimiser_ = std::make_unique<OptimisePolicy>(native, optimise);
  }
  queue_ = std::make_unique<CompileQueue>(work, threads, kCompileNiceness);
}

TierPolicy::~TierPolicy() = default;

void TierPolicy::begin(ExecState& exec) {
  exec.policy = this;
  // Far from each other, and never 0.
  exec.sampling_state = (stores_.fetch_add(1, std::memory_order_relaxed) * 0x9E37'79B9U) | 1;
  next_number(exec.sampling_state);
  exec.budget = below(options_.period, exec.sampling_state);
  if (optimiser_ != nullptr) optimiser_->begin(exec);
}

void TierPolicy::end(ExecState& exec) {
  if (optimiser_ != nullptr) optimiser_->end(exec);
}

std::uint32_t TierPolicy::next_budget(ExecState& exec) const {
  return options_.period / 2 + below(options_.period, exec.sampling_state);
}

bool TierPolicy::is_wanted(FunctionCode& function, std::size_t bytes) {
  if ((function.state.load(std::memory_order_relaxed) & kCompileAsked) != 0) return false;
  const std::uint32_t samples = function.state.fetch_add(kOneSample, std::memory_order_relaxed) / kOneSample + 1;
  const std::uint32_t all = samples_.fetch_add(1, std::memory_order_relaxed);
  const bool is_warm = all >= options_.warm_up_samples || samples >= options_.hot_samples;
  const std::size_t needed = (bytes + options_.bytes_per_sample - 1) / options_.bytes_per_sample;
  if (!is_warm || samples < std::max<std::size_t>(needed, options_.least_samples)) return false;
  return (function.state.fetch_or(kCompileAsked, std::memory_order_relaxed) & kCompileAsked) == 0;
}

void TierPolicy::sampled(ExecState& exec, FunctionCode& function, std::optional<std::uint64_t> loop) {
  const std::size_t bytes = body_bytes(function);
  if (!queue_->is_own()) return;
  if (SampleCounts* const counts = function.module->sample_counts) [[unlikely]]
    return counts->add(function.index, loop);
  if (optimiser_ != nullptr && loop) {
    const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
    if (code != nullptr && code->is_optimised && !native_.optimised_loop(function, *loop)) {
      optimiser_->sampled_in_loop(exec, function, *loop);
    }
  }
  const bool wanted = is_wanted(function, bytes);
  if (function.module->may_recall.load(std::memory_order_relaxed)) [[unlikely]]
    recall_when_warm(*function.module);
  if (!wanted) return;
  const CompileJob job{.module = function.module, .function = &function, .loop = loop};
  if (bytes > options_.immediate_bytes && options_.threads != 0 && queue_->add(job)) return;
  compile_now(exec, job);
}

void TierPolicy::recall_when_warm(ModuleCode& module) {
  if (samples_.load(std::memory_order_relaxed) < options_.recall_samples || !module.may_recall.exchange(false)) return;
  if (options_.threads == 0 || !queue_->add({.module = &module})) module.recall();
}

void TierPolicy::prepared(ModuleCode& module, std::size_t bytes) {
  const std::uint64_t before = module.prepared_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (before / kPreparedBytes == (before + bytes) / kPreparedBytes || !queue_->is_own()) return;
  // At once: until it is there, more would be translated than looking for it takes.
  if (module.may_recall.exchange(false)) {
    Preparation unbounded;
    compile({.module = &module}, unbounded, false);
  }
  if (options_.threads == 0 || module.is_keeping.exchange(true)) return;
  if (!queue_->add({.module = &module, .keeps = true})) module.is_keeping = false;
}

// A portion of it. What comes into the queue meanwhile is before the next one.
void TierPolicy::keep_what_ran(ModuleCode& module, Preparation& preparation) {
  const std::size_t count = module.module->bodies.size();
  std::size_t bytes = 0;
  while (module.keeping_next < count && bytes < kKeepingBytes) {
    FunctionCode& function = module.functions[module.keeping_next++];
    if (function.entry.load(std::memory_order_acquire) == nullptr ||
        function.native_code.load(std::memory_order_acquire) != nullptr ||
        (function.state.fetch_or(kCompileAsked, std::memory_order_relaxed) & kCompileAsked) != 0) {
      continue;
    }
    bytes += body_bytes(function);
    compile({.module = &module, .function = &function, .keeps = true}, preparation, true);
    if (preparation.is_interrupted()) return;
    preparation.give_back_all();
  }
  if (module.keeping_next < count && queue_->add({.module = &module, .keeps = true})) return;
  module.keeping_next = 0;
  module.is_keeping = false;
}

std::uint64_t TierPolicy::rest_to_keep(const ModuleCode& module) const {
  if (options_.threads == 0 || !queue_->is_own()) return 0;
  return module.prepared_bytes.load(std::memory_order_relaxed);
}

void TierPolicy::keep_the_rest(ModuleCode& module) {
  if (rest_to_keep(module) == 0) return;
  forget(module);
  const auto end = std::chrono::steady_clock::now() + kLongestKeeping;
  std::atomic<std::size_t> next{0};
  const auto compile_some = [&](std::size_t) {
    while (std::chrono::steady_clock::now() < end) {
      const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= module.module->bodies.size()) return;
      FunctionCode& function = module.functions[i];
      if (function.entry.load(std::memory_order_acquire) == nullptr) continue;
      Preparation unbounded;
      compile({.module = &module, .function = &function, .keeps = true}, unbounded, false);
    }
  };
  // Whoever waits for this does it, too.
  base::on_threads(std::min(1 + options_.threads, std::thread::hardware_concurrency()), compile_some);
}

// Holds no object that needs a destructor while it raises.
void TierPolicy::compile_now(ExecState& exec, const CompileJob& job) {
  bool is_interrupted;
  {
    Preparation preparation(exec);
    compile(job, preparation, false);
    is_interrupted = preparation.is_interrupted();
  }
  if (is_interrupted) raise_pending(exec);
}

void TierPolicy::compile(const CompileJob& job, Preparation& preparation, bool in_background) {
  if (job.function == nullptr && job.keeps) return keep_what_ran(*job.module, preparation);
  if (job.function == nullptr) {
    job.module->recall();
    if (optimiser_ != nullptr) optimiser_->machine_code_exists();
    return;
  }
  // Which came meanwhile, or is kept from an earlier run.
  if (job.function->native_code.load(std::memory_order_acquire) != nullptr) return;
  const auto begin = TierLog::Clock::now();
  const Result<void> outcome =
      guarded([&] { return native_.compile_function(*job.module, *job.function, preparation); });
  // What memory or time forbade now may be had later, after as many samples again. Anything else will not change.
  if (!outcome && (outcome.error().kind == ErrorKind::limit || outcome.error().kind == ErrorKind::io)) {
    job.function->state.fetch_and(kOneSample - 1 - kCompileAsked, std::memory_order_relaxed);
  }
  if (outcome && optimiser_ != nullptr) {
    // From now on it is their samples that count.
    job.function->state.fetch_and(kOneSample - 1, std::memory_order_relaxed);
    optimiser_->machine_code_exists();
  }
  if (options_.log == nullptr || preparation.is_interrupted()) return;
  options_.log->add(*job.module, *job.function,
                    {.tier = native_.name(),
                     .reason = job.loop    ? TierChange::Reason::loop
                               : job.keeps ? TierChange::Reason::kept
                                           : TierChange::Reason::calls,
                     .loop_offset = job.loop.value_or(0),
                     .in_background = in_background},
                    begin, outcome);
}

void TierPolicy::forget(const ModuleCode& module) {
  queue_->forget(module);
  if (optimiser_ != nullptr) optimiser_->forget(module);
}

void TierPolicy::wait() {
  queue_->wait();
  if (optimiser_ != nullptr) optimiser_->wait();
}

}  // namespace wasi::runtime
