// See worker_pool.h.
#include "tools/serve/worker_pool.h"

#include <system_error>
#include <utility>

namespace wasirun::serve {

WorkerPool::WorkerPool(const Limits& limits, std::function<void(Job)> work) : limits_(limits), work_(std::move(work)) {
  threads_.reserve(limits.threads);
}

WorkerPool::~WorkerPool() {
  std::deque<Job> dropped;  // goes without the lock
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkerPool::push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t jobs = queue_.size() + busy_;
    if (jobs >= std::size_t{limits_.threads} + limits_.queued) return false;
    if (jobs >= threads_.size() && threads_.size() < limits_.threads) {
      try {
        threads_.emplace_back([this] { run(); });
      } catch (const std::system_error&) {
        // Those that there are have to do.
        if (threads_.empty()) return false;
      }
    }
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t WorkerPool::running() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ends_ || !queue_.empty(); });
    if (ends_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    lock.unlock();
    work_(std::move(job));
    lock.lock();
    --busy_;
  }
}

}  // namespace wasirun::serve
