// Stores that run one program together, each on a thread of its own: a trap or an exit in one ends all.
#pragma once

#include <wasi/trap.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace wasi::runtime {

struct ExecState;

// Thread-safe.
class Program {
 public:
  // A store joins; where the program has ended, its guest code traps at once.
  void add(ExecState& exec);
  void remove(ExecState& exec);

  // Ends the program, unless it has ended: guest code in its stores traps with `trap` at its next poll, now and later.
  void end(const Trap& trap);
  // Sets bits of ExecState::interrupt in all of its stores; nobody is woken.
  void ask(std::uint32_t bits);
  // Waits, no longer than this, until no store but this one is left; whether that is so.
  bool wait_alone(const ExecState& exec, std::chrono::milliseconds most) const;
  // Why it has ended; empty while it runs.
  [[nodiscard]] std::optional<Trap> ending() const;
  // The same when it is known to have ended; where memory has run out, its code alone.
  [[nodiscard]] Trap ending_trap() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;  // members_ has become less
  std::vector<ExecState*> members_;
  std::optional<Trap> ending_;
};

}  // namespace wasi::runtime
