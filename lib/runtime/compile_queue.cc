#include "runtime/compile_queue.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/no_signals.h"
#include "runtime/native_tuning.h"
#include "runtime/preparation.h"

namespace wasi::runtime {

namespace {

// Rises in a child at each fork.
std::atomic<std::uint32_t>& forks() {
  static std::atomic<std::uint32_t> count{0};
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks().fetch_add(1); });
  static_cast<void>(registered);
  return count;
}

}  // namespace

struct CompileQueue::State : std::enable_shared_from_this<State> {
  struct Worker : Absence {
    explicit Worker(State& s) : state(s) {}

    [[nodiscard]] bool leave() override {
      const std::lock_guard lock(state.mutex);
      if (is_cancelled) return false;
      is_away = true;
      return true;
    }
    [[nodiscard]] bool come_back() override {
      const std::lock_guard lock(state.mutex);
      is_away = false;
      has_come_back = !is_cancelled;
      return has_come_back;
    }
    [[nodiscard]] bool is_back() const override { return has_come_back; }

    State& state;
    std::thread thread;
    const ModuleCode* module = nullptr;  // whose function it compiles
    std::atomic<bool> is_cancelled{false};
    bool is_away = false;
    bool has_come_back = true;
  };

  State(Work w, unsigned most, int n) : work(std::move(w)), most_workers(most), niceness(n) {}

  const Work work;
  const unsigned most_workers;
  const int niceness;
  const std::uint32_t process = forks().load();
  std::mutex mutex;
  std::condition_variable changed;  // something to do, or the end
  std::condition_variable done;     // a job is
  std::deque<CompileJob> jobs;
  std::vector<std::unique_ptr<Worker>> workers;
  unsigned idle = 0;
  bool is_ending = false;

  void start_worker() {
    auto worker = std::make_unique<Worker>(*this);
    workers.reserve(workers.size() + 1);
    const base::NoSignals quiet;
    worker->thread = std::thread([self = shared_from_this(), own = worker.get()] { self->run(*own); });
    workers.push_back(std::move(worker));
  }

  void run(Worker& own) {
    // Of this thread alone, as Linux has it, and on top of what it has from the program's.
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + niceness);
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      changed.wait(lock, [this] { return is_ending || !jobs.empty(); });
      --idle;
      if (is_ending) return;
      const CompileJob job = jobs.front();
      jobs.pop_front();
      own.module = job.module;
      own.is_cancelled = false;
      own.has_come_back = true;
      lock.unlock();
      {
        Preparation preparation(own.is_cancelled);
        work(job, preparation, own);
      }
      lock.lock();
      own.module = nullptr;
      done.notify_all();
    }
  }

  // With the lock held. Whoever is away finds out when it comes back.
  static void cancel(Worker& worker) {
    worker.is_cancelled = true;
    if (worker.is_away) worker.module = nullptr;
  }
};

CompileQueue::CompileQueue(Work work, unsigned most_threads, int niceness)
    : state_(std::make_shared<State>(std::move(work), most_threads, niceness)) {}

CompileQueue::~CompileQueue() {
  if (!is_own()) {
    // Its threads are not here to be joined.
    static_cast<void>(new std::shared_ptr<State>(std::move(state_)));
    return;
  }
  std::vector<std::thread> present;
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
    for (const auto& worker : state_->workers) {
      State::cancel(*worker);
      if (worker->is_away) {
        worker->thread.detach();
      } else {
        present.push_back(std::move(worker->thread));
      }
    }
    state_->changed.notify_all();
  }
  for (std::thread& thread : present) thread.join();
}

bool CompileQueue::is_own() const { return state_->process == forks().load(); }

bool CompileQueue::add(const CompileJob& job) {
  if (!is_own()) return false;
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  try {
    state.jobs.push_back(job);
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (state.idle < state.jobs.size() && state.workers.size() < state.most_workers) {
    try {
      state.start_worker();
    } catch (const std::exception&) {  // bad_alloc, system_error
      if (state.workers.empty()) {
        state.jobs.pop_back();
        return false;
      }
    }
  }
  state.changed.notify_one();
  return true;
}

void CompileQueue::forget(const ModuleCode& module) {
  if (!is_own()) return;
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  std::erase_if(state.jobs, [&module](const CompileJob& job) { return job.module == &module; });
  const auto is_its = [&module](const std::unique_ptr<State::Worker>& worker) { return worker->module == &module; };
  for (const auto& worker : state.workers) {
    if (is_its(worker)) State::cancel(*worker);
  }
  state.done.wait(lock, [&] { return std::ranges::none_of(state.workers, is_its); });
  state.done.notify_all();
}

void CompileQueue::wait() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.done.wait(lock, [&state] {
    return state.jobs.empty() &&
           std::ranges::all_of(state.workers, [](const auto& worker) { return worker->module == nullptr; });
  });
}

}  // namespace wasi::runtime
