#include "runtime/tier_policy.h"

#include <algorithm>
#include <new>
#include <thread>

#include "base/guard.h"
#include "runtime/compile_queue.h"
#include "runtime/module_code.h"
#include "runtime/native_tier.h"
#include "runtime/preparation.h"
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

std::size_t body_bytes(const FunctionCode& function) {
  return function.module->module->body(wasm::FuncIndex(function.index)).size;
}

// One for the threads that run.
unsigned threads_to_use(unsigned most) {
  const unsigned cores = std::max(2U, std::thread::hardware_concurrency());
  return std::min(most, cores - 1);
}

}  // namespace

TierPolicy::TierPolicy(NativeTier& native, TierPolicyOptions options) : native_(native), options_(options) {
  const auto work = [this](const CompileJob& job, Preparation& preparation) {
    static_cast<void>(compile(job, preparation, true));
  };
  queue_ = std::make_unique<CompileQueue>(work, threads_to_use(options.threads));
}

TierPolicy::~TierPolicy() = default;

void TierPolicy::begin(ExecState& exec) {
  exec.policy = this;
  // Far from each other, and never 0.
  exec.sampling_state = (stores_.fetch_add(1, std::memory_order_relaxed) * 0x9E37'79B9U) | 1;
  next_number(exec.sampling_state);
  exec.budget = below(options_.period, exec.sampling_state);
}

std::uint32_t TierPolicy::next_budget(ExecState& exec) const {
  return options_.period / 2 + below(options_.period, exec.sampling_state);
}

bool TierPolicy::is_wanted(FunctionCode& function, std::size_t bytes) {
  if ((function.state.load(std::memory_order_relaxed) & kCompileAsked) != 0) return false;
  const std::uint32_t samples = function.state.fetch_add(kOneSample, std::memory_order_relaxed) / kOneSample + 1;
  const std::uint32_t all = samples_.fetch_add(1, std::memory_order_relaxed);
  const bool is_warm = all >= options_.warm_up_samples || samples >= options_.hot_samples;
  if (!is_warm || samples < (bytes + options_.bytes_per_sample - 1) / options_.bytes_per_sample) return false;
  return (function.state.fetch_or(kCompileAsked, std::memory_order_relaxed) & kCompileAsked) == 0;
}

void TierPolicy::sampled(ExecState& exec, FunctionCode& function, std::optional<std::uint64_t> loop) {
  const std::size_t bytes = body_bytes(function);
  if (!queue_->is_own() || !is_wanted(function, bytes)) return;
  const CompileJob job{.module = function.module,
                       .function = &function,
                       .loop = loop,
                       .samples = function.state.load(std::memory_order_relaxed) / kOneSample};
  if (bytes > options_.immediate_bytes && options_.threads != 0 && queue_->add(job)) return;
  compile_now(exec, job);
}

// Holds no object that needs a destructor while it raises.
void TierPolicy::compile_now(ExecState& exec, const CompileJob& job) {
  bool is_interrupted;
  {
    Preparation preparation(exec);
    static_cast<void>(compile(job, preparation, false));
    is_interrupted = preparation.is_interrupted();
  }
  if (is_interrupted) raise_pending(exec);
}

Result<void> TierPolicy::compile(const CompileJob& job, Preparation& preparation, bool in_background) {
  const auto begin = std::chrono::steady_clock::now();
  Result<void> result = guarded([&] { return native_.compile(*job.module, *job.function, preparation); });
  // What memory or time forbade now may be had later, after as many samples again. Anything else will not change.
  const bool is_final = result || (result.error().kind != ErrorKind::limit && result.error().kind != ErrorKind::io);
  if (!is_final) job.function->state.fetch_and(kOneSample - 1 - kCompileAsked, std::memory_order_relaxed);
  if (options_.records_changes && !preparation.is_interrupted()) record(job, in_background, begin, result);
  return result;
}

void TierPolicy::record(const CompileJob& job, bool in_background, std::chrono::steady_clock::time_point begin,
                        const Result<void>& result) {
  const auto end = std::chrono::steady_clock::now();
  try {
    const binary::Names& names = job.module->names();
    TierChange change{.at = end - begin_,
                      .module = std::string(names.module),
                      .function = std::string(names.function(wasm::FuncIndex(job.function->index)).value_or("")),
                      .index = job.function->index,
                      .body_bytes = body_bytes(*job.function),
                      .reason = job.loop ? TierChange::Reason::loop : TierChange::Reason::calls,
                      .loop_offset = job.loop.value_or(0),
                      .samples = job.samples,
                      .in_background = in_background,
                      .took = end - begin,
                      .error = {}};
    if (!result) change.error = result.error();
    const std::lock_guard lock(changes_mutex_);
    changes_.push_back(std::move(change));
  } catch (const std::bad_alloc&) {  // it is for people
  }
}

void TierPolicy::forget(const ModuleCode& module) { queue_->forget(module); }

void TierPolicy::wait() { queue_->wait(); }

std::vector<TierChange> TierPolicy::changes() const {
  const std::lock_guard lock(changes_mutex_);
  return changes_;
}

}  // namespace wasi::runtime
