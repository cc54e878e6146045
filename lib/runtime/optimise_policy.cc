#include "runtime/optimise_policy.h"

#include <algorithm>

#include "base/guard.h"
#include "runtime/exec_state.h"
#include "runtime/module_code.h"
#include "runtime/native_tier.h"
#include "runtime/preparation.h"
#include "runtime/stack_walk.h"
#include "runtime/tier_log.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

namespace {

constexpr std::uint32_t kSamples = ~(kOneSample - 1);

bool is_optimised(const FunctionCode& function) {
  const NativeCode* const code = function.native_code.load(std::memory_order_acquire);
  return code != nullptr && code->is_optimised;
}

bool has_room(ExecState& exec, std::size_t slots) {
  return guarded([&]() -> Result<void> {
           exec.loop_slots.reserve(slots);
           return {};
         })
      .has_value();
}

}  // namespace

OptimisePolicy::OptimisePolicy(NativeTier& native, OptimisePolicyOptions options)
    : native_(native),
      options_(options),
      sampler_(std::chrono::microseconds(kSamplingMicroseconds)),
      queue_([this](const CompileJob& job, Preparation& preparation,
                    Absence& absence) { compile(job, preparation, &absence); },
             std::max(1U, options.threads), kOptimiseNiceness) {}

OptimisePolicy::~OptimisePolicy() {
  if (!queue_.is_own()) sampler_.abandon();
}

bool OptimisePolicy::native_optimises() const { return native_.optimises(); }

void OptimisePolicy::begin(ExecState& exec) {
  if (!native_optimises() || !queue_.is_own()) return;
  if (options_.is_eager) {
    exec.stack_limit.store(kRaisedStackLimit);
  } else {
    sampler_.add(exec);
  }
}

void OptimisePolicy::end(ExecState& exec) {
  if (queue_.is_own()) sampler_.remove(exec);
}

// Counts, and says whether that makes enough.
bool OptimisePolicy::has_enough(FunctionCode& function) {
  const std::size_t bytes = body_bytes(function);
  const std::uint32_t before = function.state.load(std::memory_order_relaxed) & kSamples;
  if (before != kSamples) function.state.fetch_add(kOneSample, std::memory_order_relaxed);
  const std::size_t worth = std::min(bytes / options_.bytes_per_sample, kMostOptimiseSamples);
  const std::size_t needed = std::max(worth, options_.least_samples);
  const bool is_warm = samples_.fetch_add(1, std::memory_order_relaxed) + 1 >= options_.warm_up_samples;
  return is_warm && before / kOneSample + 1 >= needed;
}

bool OptimisePolicy::is_first_of(FunctionCode& function, std::uint64_t loop) {
  const std::lock_guard lock(mutex_);
  const auto added = guarded([&]() -> Result<bool> {
    std::vector<std::uint64_t>& asked = loops_[{function.module, function.index}];
    if (std::ranges::find(asked, loop) != asked.end()) return false;
    asked.push_back(loop);
    return true;
  });
  return added && *added;
}

const void* OptimisePolicy::sampled(ExecState& exec) {
  if (!native_optimises() || !queue_.is_own()) return nullptr;
  if (options_.is_eager) exec.stack_limit.store(kRaisedStackLimit);
  const StackWalk walk(exec);
  if (walk.at_end() || !walk.is_native() || walk.code().is_optimised) {
    sampler_.answered(false);
    return nullptr;
  }
  sampler_.answered(true);
  FunctionCode& function = *walk.function();
  const std::optional<std::uint64_t> offset = walk.offset();
  const auto heads = walk.code().loop_heads;
  const auto head = std::ranges::lower_bound(heads, offset.value_or(0), {}, &LoopHead::wasm_offset);
  const bool is_in_loop = offset && head != heads.end() && head->wasm_offset == *offset;
  // Of what is too large, as much as is left from a loop on may be small enough.
  if (!is_optimised(function) && body_bytes(function) <= kMostOptimisedBytes) {
    if (!has_enough(function) ||
        (function.state.fetch_or(kOptimiseAsked, std::memory_order_relaxed) & kOptimiseAsked) != 0) {
      return nullptr;
    }
    ask(exec, {.module = function.module, .function = &function});
    return nullptr;
  }
  if (!is_in_loop) return nullptr;
  if (native_.optimised_loop(function, *offset) == nullptr) sampled_in_loop(exec, function, *offset);
  const void* const entry = native_.optimised_loop(function, *offset);
  return entry != nullptr && has_room(exec, walk.code().frame_slots) ? entry : nullptr;
}

void OptimisePolicy::sampled_in_loop(ExecState& exec, FunctionCode& function, std::uint64_t loop) {
  if (!native_optimises() || !queue_.is_own() || !has_enough(function) || !is_first_of(function, loop)) return;
  ask(exec, {.module = function.module, .function = &function, .loop = loop});
}

// Holds no object that needs a destructor while it raises.
void OptimisePolicy::ask(ExecState& exec, const CompileJob& job) {
  if (options_.threads != 0) return void(queue_.add(job));
  bool is_interrupted;
  {
    Preparation preparation(exec);
    compile(job, preparation, nullptr);
    is_interrupted = preparation.is_interrupted();
  }
  if (is_interrupted) raise_pending(exec);
}

void OptimisePolicy::compile(const CompileJob& job, Preparation& preparation, Absence* absence) {
  const auto begin = TierLog::Clock::now();
  const Result<void> outcome =
      guarded([&] { return native_.optimise(*job.module, *job.function, job.loop, preparation, absence); });
  if (absence != nullptr && !absence->is_back()) return;  // nor is this
  // A call that goes on has to go on for as long again.
  job.function->state.fetch_and(~kSamples, std::memory_order_relaxed);
  if (!outcome && !native_optimises()) return sampler_.stop();
  if (!outcome && !job.loop && (outcome.error().kind == ErrorKind::limit || outcome.error().kind == ErrorKind::io)) {
    // What memory forbade now may be had later.
    job.function->state.fetch_and(~kOptimiseAsked, std::memory_order_relaxed);
  }
  if (options_.log == nullptr || preparation.is_interrupted()) return;
  options_.log->add(*job.module, *job.function,
                    {.tier = native_.optimised_name(),
                     .reason = job.loop ? TierChange::Reason::loop : TierChange::Reason::calls,
                     .loop_offset = job.loop.value_or(0),
                     .in_background = absence != nullptr},
                    begin, outcome);
}

void OptimisePolicy::forget(const ModuleCode& module) {
  queue_.forget(module);
  if (!queue_.is_own()) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(loops_, [&module](const auto& entry) { return entry.first.first == &module; });
}

void OptimisePolicy::wait() { queue_.wait(); }

}  // namespace wasi::runtime
