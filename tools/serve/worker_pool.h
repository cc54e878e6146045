// Threads that run guests, and the queue in front of them, both bounded.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace wasirun::serve {

class Exchange;

class WorkerPool {
 public:
  using Job = std::shared_ptr<Exchange>;
  struct Limits {
    std::uint32_t threads = 4;   // made when they are needed
    std::uint32_t queued = 256;  // jobs that wait for one of them
  };
  // `work` is called by any of the threads, several at once; it does not throw.
  WorkerPool(const Limits& limits, std::function<void(Job)> work);
  // What runs is waited for; what waits is dropped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: the queue is full, or there is no thread and none can be had.
  [[nodiscard]] bool push(Job job);
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] std::size_t running() const;

 private:
  void run();

  const Limits limits_;
  const std::function<void(Job)> work_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::deque<Job> queue_;
  std::size_t busy_ = 0;  // threads that have a job
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace wasirun::serve
