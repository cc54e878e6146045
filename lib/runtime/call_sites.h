// Whom calls by reference reach: the interpreter notes it, each call its first few callees, and the better compiler
// guesses by it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

namespace wasi::runtime {

struct FunctionCode;
struct ModuleCode;

inline constexpr std::size_t kSeenCallees = 4;

// What was seen of the call at a byte of the module.
struct SeenCall {
  struct Callee {
    std::uint32_t function = 0;  // FuncIndex, of one that is not imported
    std::uint64_t calls = 0;     // 0: there are no more of them
  };
  std::uint64_t offset = 0;
  std::array<Callee, kSeenCallees> callees = {};
  std::uint64_t others = 0;  // calls of functions that came later than these, of other modules and of hosts
};

// Where code counts. Threads may lose each other's counts: a guess is made of them, no more.
class CallSite {
 public:
  explicit CallSite(std::uint64_t offset) : offset_(offset) {}

  // `callee` is compared, not read.
  void reached(const FunctionCode* callee) noexcept {
    for (Place& place : places_) {
      const FunctionCode* const present = place.callee.load(std::memory_order_relaxed);
      if (present == callee) return count(place.calls);
      if (present != nullptr) continue;
      place.callee.store(callee, std::memory_order_relaxed);
      return count(place.calls);
    }
    count(others_);
  }

  // Of a module whose functions the calls are of.
  [[nodiscard]] SeenCall seen(const ModuleCode& module) const;

 private:
  struct Place {
    std::atomic<const FunctionCode*> callee{nullptr};
    std::atomic<std::uint64_t> calls{0};
  };
  static void count(std::atomic<std::uint64_t>& calls) noexcept {
    calls.store(calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  const std::uint64_t offset_;
  std::array<Place, kSeenCallees> places_;
  std::atomic<std::uint64_t> others_{0};
};

// Those of a module. Thread-safe.
class CallSites {
 public:
  // Null where there are enough already, or no memory. Stays where it is for as long as this does.
  CallSite* add(std::uint64_t offset) noexcept;
  // By their offsets, without those that reached nobody.
  [[nodiscard]] std::vector<SeenCall> seen(const ModuleCode& module) const;

 private:
  static constexpr std::size_t kMost = 16384;

  mutable std::mutex mutex_;
  std::deque<CallSite> sites_;
};

}  // namespace wasi::runtime
