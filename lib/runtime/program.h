// Stores that run one program together, each on a thread of its own: a trap or an exit in one ends all.
#pragma once

#include <wasi/trap.h>

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
  // Why it has ended; empty while it runs.
  [[nodiscard]] std::optional<Trap> ending() const;
  // The same when it is known to have ended; where memory has run out, its code alone.
  [[nodiscard]] Trap ending_trap() const;

 private:
  mutable std::mutex mutex_;
  std::vector<ExecState*> members_;
  std::optional<Trap> ending_;
};

}  // namespace wasi::runtime
