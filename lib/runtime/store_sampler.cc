#include "runtime/store_sampler.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/no_signals.h"
#include "runtime/exec_state.h"
#include "runtime/interruption.h"
#include "runtime/native_tuning.h"

namespace wasi::runtime {

// Stores are linked in a ring, so that each tick goes on where the last one ended.
struct StoreSampler::State {
  explicit State(std::chrono::microseconds p) : period(p) {}

  const std::chrono::microseconds period;
  std::mutex mutex;
  std::condition_variable changed;
  ExecState* next = nullptr;  // whose turn it is; null: there is none
  std::size_t count = 0;
  bool is_ending = false;
  std::thread thread;

  // True where some store has looked around since its limit was raised.
  bool raise_all() {
    bool is_anyone_running = false;
    for (std::size_t left = std::min(count, kStoresPerTick); left != 0; --left, next = next->sampled.next) {
      if (next->stack_limit.load(std::memory_order_relaxed) == kRaisedStackLimit) continue;
      is_anyone_running = true;
      next->stack_limit.store(kRaisedStackLimit);
    }
    return is_anyone_running;
  }

  void run(const std::atomic<unsigned>& useless) {
    auto pause = period;
    std::unique_lock lock(mutex);
    while (!is_ending) {
      if (count == 0) {
        changed.wait(lock);
        pause = period;
        continue;
      }
      changed.wait_for(lock, pause);
      if (is_ending || count == 0) continue;
      const bool is_of_use = raise_all() && useless.load(std::memory_order_relaxed) < kUselessSamples;
      pause = is_of_use ? period : std::min<std::chrono::microseconds>(2 * pause, kLongestSamplingPause);
    }
  }
};

StoreSampler::StoreSampler(std::chrono::microseconds period) : state_(std::make_unique<State>(period)) {}

StoreSampler::~StoreSampler() {
  if (state_ != nullptr) stop();
}

void StoreSampler::add(ExecState& exec) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (exec.sampled.next != nullptr) return;
  if (state.next == nullptr) {
    exec.sampled = {&exec, &exec};
    state.next = &exec;
    state.changed.notify_one();
  } else {
    exec.sampled = {state.next, state.next->sampled.previous};
    exec.sampled.previous->sampled.next = &exec;
    state.next->sampled.previous = &exec;
  }
  ++state.count;
}

void StoreSampler::remove(ExecState& exec) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (exec.sampled.next == nullptr) return;
  if (state.next == &exec) state.next = exec.sampled.next != &exec ? exec.sampled.next : nullptr;
  exec.sampled.previous->sampled.next = exec.sampled.next;
  exec.sampled.next->sampled.previous = exec.sampled.previous;
  exec.sampled = {};
  --state.count;
}

void StoreSampler::start() {
  if (is_started_.load(std::memory_order_relaxed) || is_started_.exchange(true)) return;
  const std::lock_guard lock(state_->mutex);
  if (state_->is_ending) return;
  try {
    const base::NoSignals quiet;
    state_->thread = std::thread([this] { state_->run(useless_); });
  } catch (const std::exception&) {
    // system_error, bad_alloc: code stays as it is
  }
}

void StoreSampler::stop() {
  // Several may find out at once that there is nothing to look for: one of them gets the thread.
  std::thread thread;
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
    thread = std::move(state_->thread);
    state_->changed.notify_all();
  }
  if (thread.joinable()) thread.join();
}

void StoreSampler::abandon() { static_cast<void>(state_.release()); }

}  // namespace wasi::runtime
