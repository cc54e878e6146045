// Makes the machine code of running stores look around now and then, which costs it nothing in between: a thread raises
// the stack limit that code compares its stack pointer with at entries and loops (interruption.h), and whoever comes to
// the next of these places calls check_stack, which gives a sample.
//
// The thread begins when there is something to see, sleeps longer and longer while nobody answers or no answer is of
// use, and raises the limit of so many stores at a time at most that thousands of them that idle cost no more than a
// few.
// Thread-safe. A forked process does not have the thread: nothing is called there (compile_queue.h, is_own()).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

namespace wasi::runtime {

struct ExecState;

class StoreSampler {
 public:
  explicit StoreSampler(std::chrono::microseconds period);
  ~StoreSampler();
  StoreSampler(const StoreSampler&) = delete;
  StoreSampler& operator=(const StoreSampler&) = delete;

  // From now on until remove(), which comes before the store goes.
  void add(ExecState& exec);
  void remove(ExecState& exec);

  // There is machine code to look at. Does nothing where the thread cannot be had, or runs.
  void start();
  // For good.
  void stop();

  // A store has looked around, and that was of use, or not.
  void answered(bool is_useful) {
    useless_.store(is_useful ? 0 : useless_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // In a process that does not have the thread: lets go of everything without touching it.
  void abandon();

 private:
  struct State;
  std::atomic<bool> is_started_{false};
  std::atomic<unsigned> useless_{0};  // answers, one after the other
  std::unique_ptr<State> state_;
};

}  // namespace wasi::runtime
