// What a store allows for the preparation of a function: time, as its deadline and its interrupts say, and memory, of
// the limit that its memories have too.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>

namespace wasi::runtime {

struct ExecState;

// One preparation. What was taken and not kept is given back at its end.
class Preparation {
 public:
  Preparation() = default;  // for no store: without bounds
  explicit Preparation(ExecState& exec) : exec_(&exec) {}
  // For no store, until it is cancelled.
  explicit Preparation(const std::atomic<bool>& is_cancelled) : is_cancelled_(&is_cancelled) {}
  ~Preparation() { give_back_all(); }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // To be asked every few KiB of a body. An error where it is cancelled, or the store has to stop: the trap is in
  // exec.pending then.
  [[nodiscard]] Result<void> poll();
  [[nodiscard]] bool is_interrupted() const { return is_interrupted_; }

  // Before memory is had: an error where the store's limit leaves less.
  [[nodiscard]] Result<void> take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  // Where another tier tries.
  void give_back_all() { give_back(taken_); }
  // Of what was taken, what the prepared function is made of: it counts for as long as the store lives, whoever else
  // runs the function.
  void keep(std::uint64_t bytes) { taken_ -= bytes; }

 private:
  ExecState* exec_ = nullptr;
  const std::atomic<bool>* is_cancelled_ = nullptr;
  std::uint64_t taken_ = 0;
  bool is_interrupted_ = false;
};

}  // namespace wasi::runtime
