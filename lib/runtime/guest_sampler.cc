#include "runtime/guest_sampler.h"

#include <algorithm>
#include <new>
#include <ranges>

#include "base/no_signals.h"
#include "runtime/exec_state.h"
#include "runtime/program.h"
#include "runtime/stack_walk.h"

namespace wasi::runtime {

namespace {

// Newest frames of a sample; a deep recursion's oldest ones say nothing that these do not.
constexpr std::size_t kMostSampledFrames = 1024;

// Who is asked, and by whom. Asking is rare, so one lock for all is enough.
struct Samplers {
  std::mutex mutex;
  std::vector<std::pair<const ExecState*, GuestSampler*>> list;
};
Samplers& samplers() {
  static auto* const all = new Samplers;  // for ever: stores may run while the process ends
  return *all;
}

GuestSampler::Code code_of(const StackWalk& walk) {
  if (!walk.is_native()) return GuestSampler::Code::interpreted;
  return walk.code().is_optimised ? GuestSampler::Code::optimised : GuestSampler::Code::baseline;
}

}  // namespace

GuestSampler::GuestSampler(ExecState& exec, std::chrono::microseconds period) : exec_(exec), period_(period) {
  {
    Samplers& all = samplers();
    const std::lock_guard lock(all.mutex);
    program_ = exec.program;
    threads_.emplace(&exec, 0);
    all.list.emplace_back(&exec, this);
  }
  const base::NoSignals quiet;
  thread_ = std::thread([this] { run(); });
}

GuestSampler::~GuestSampler() { stop(); }

void GuestSampler::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    ending_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  {
    Samplers& all = samplers();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.list, [this](const auto& entry) { return entry.second == this; });
  }
  exec_.interrupt.fetch_and(~kInterruptSample);
}

void GuestSampler::run() {
  std::unique_lock lock(mutex_);
  while (!ending_.wait_for(lock, period_, [this] { return is_ending_; })) ask();
}

void GuestSampler::ask() {
  std::shared_ptr<Program> program;
  {
    const std::lock_guard lock(samplers().mutex);
    program = program_;
  }
  program != nullptr ? program->ask(kInterruptSample) : set_interrupt(exec_, kInterruptSample);
}

bool GuestSampler::is_of(const ExecState& exec) const {
  return &exec == &exec_ || (exec.program != nullptr && exec.program == program_);
}

void GuestSampler::answer(ExecState& exec) {
  Samplers& all = samplers();
  const std::lock_guard lock(all.mutex);
  for (const auto& [own, sampler] : all.list) {
    if (sampler->is_of(exec)) return sampler->sample(exec);
  }
}

void GuestSampler::joined(const ExecState& exec) {
  Samplers& all = samplers();
  const std::lock_guard lock(all.mutex);
  for (const auto& [own, sampler] : all.list) {
    if (own == &exec) sampler->program_ = exec.program;
  }
}

void GuestSampler::left(const ExecState& exec) {
  Samplers& all = samplers();
  const std::lock_guard lock(all.mutex);
  for (const auto& [own, sampler] : all.list) sampler->threads_.erase(&exec);
}

void GuestSampler::sample(const ExecState& exec) {
  try {
    record(exec);
  } catch (const std::bad_alloc&) {
    ++lost_;
  }
}

void GuestSampler::record(const ExecState& exec) {
  stack_.clear();
  for (StackWalk walk(exec); !walk.at_end() && stack_.size() < kMostSampledFrames; walk.next()) {
    // Records of host functions are no frames of a guest.
    if (walk.instance() == nullptr || walk.function()->module == nullptr) continue;
    stack_.push_back({.function = walk.function(),
                      .offset = walk.offset().value_or(kNoOffset),
                      .code = code_of(walk),
                      .is_inlined = walk.is_native() && walk.function() != walk.code().function});
  }
  std::uint32_t node = kNoNode;
  for (const Frame& frame : std::views::reverse(stack_)) {
    const Node next = {.caller = node, .frame = frame_number(frame)};
    const auto [place, is_new] = node_numbers_.try_emplace(next, static_cast<std::uint32_t>(nodes_.size()));
    if (is_new) nodes_.push_back(next);
    node = place->second;
  }
  if (node == kNoNode) return;
  const auto [thread, is_new] = threads_.try_emplace(&exec, next_thread_);
  if (is_new) ++next_thread_;
  samples_.push_back({std::chrono::steady_clock::now(), node, thread->second});
}

std::uint32_t GuestSampler::frame_number(const Frame& frame) {
  const auto [place, is_new] = frame_numbers_.try_emplace(frame, static_cast<std::uint32_t>(frames_.size()));
  if (is_new) frames_.push_back(frame);
  return place->second;
}

}  // namespace wasi::runtime
