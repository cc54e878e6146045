// The store: owner of instances, memories, tables and globals, with the limits that hold for them.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#store
#pragma once

#include <wasi/detail/chrono.h>
#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/store_ref.h>
#include <wasi/engine.h>
#include <wasi/error.h>
#include <wasi/metrics.h>

#include <any>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace wasi {

namespace detail {
struct StoreRecord;
struct StoreState;
}  // namespace detail

// What a store is about to have more of: a memory or a table that is made or grows, an instance.
struct Growth {
  enum class Kind : std::uint8_t { memory, table, instance };
  Kind kind = Kind::memory;
  std::uint64_t current = 0;  // bytes of the memory, elements of the table, instances in the store
  std::uint64_t desired = 0;
  std::optional<std::uint64_t> maximum = {};  // by the type, in the same unit; for instances the store's limit
};

// Says whether something may grow. False: memory.grow, table.grow and the host's own grow() fail as at any limit, and
// an instantiation with `limit`. Asked last, when neither the type nor the store's limits forbid it; what it allows can
// still fail for want of the host's memory. It runs on the thread that runs the store, calls nothing of this library
// for that store, and what it throws means false. Threads of wasi-threads share it, at once.
using GrowthLimiter = std::function<bool(const Growth&)>;

struct CallEvent;  // call_hook.h
// Told of each call from the host into a guest and from a guest to the host, for tracers: call_hook.h.
using CallHook = std::function<void(const CallEvent&)>;

struct StoreConfig {
  // Bytes of all linear memories and tables (8 an element) together, of what instances take beside them beyond the
  // first MiB, and of translated functions beyond their first 4 MiB. A guest's memory.grow or table.grow beyond it
  // fails with -1, a call that needs a function translated with TrapCode::allocation_failure.
  std::uint64_t memory_limit = UINT64_MAX;
  std::uint64_t table_limit = 10'000'000;  // elements of each table
  std::uint64_t instance_limit = 10'000;
  std::uint64_t stack_size = 8U << 20;  // bytes of the Wasm stack; beyond it: TrapCode::stack_overflow
  // Bytes of the heap for structures and arrays, by blocks of 64 KiB; beyond it: TrapCode::allocation_failure.
  std::uint64_t gc_heap_limit = std::uint64_t{4} << 30;
  bool gc_stress = false;  // collect at every allocation: for tests
  // Guest code traps with `deadline_exceeded` when this much time has passed since the store was made. Kept in any
  // case: where no thread can be had to watch it, guest code looks at the clock itself, which makes it slower.
  std::optional<std::chrono::nanoseconds> deadline = std::nullopt;
  // See Store::set_native_stack.
  std::span<const std::byte> native_stack = {};
  GrowthLimiter limiter = {};  // empty: what the limits above allow, is
  CallHook call_hook = {};     // empty: nobody is told, and calls are as fast as can be
};

// What holds for one call only: Function::call, TypedFunction::call.
struct CallOptions {
  // The call traps with `deadline_exceeded` when this has come, or the store's own deadline if that is earlier.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  // What the call may execute (Store::set_fuel), instead of the store's own fuel, of which nothing is taken. A call
  // that has this fails with `host_error` where the engine's code charges none.
  std::optional<std::uint64_t> fuel = {};
  // Not null: set to what is left of `fuel` when the call is over, also by a trap.
  std::uint64_t* fuel_left = nullptr;
};

// Stops the guest of a store. Copyable; any thread may use it, also after the store has gone.
class Interrupter {
 public:
  // Guest code that runs, or the next that is called, traps with TrapCode::interrupted at its next loop or call, once;
  // so does that of other stores which its host functions have called. Store::clear_interrupt takes it back.
  WASI_API void interrupt() const;

 private:
  friend class Store;
  WASI_API explicit Interrupter(detail::StoreRecord& record);
  detail::StoreRecord* record_;
  std::uint64_t number_;
};

// A deadline for some calls: as long as this exists, guest code of the store traps with `deadline_exceeded` when it has
// come, or the store's own deadline if that is earlier. Afterwards the store's deadline is what it was before. Movable;
// scopes of one store end in the reverse of the order in which they began. May outlive the store.
class DeadlineScope {
 public:
  DeadlineScope(DeadlineScope&& other) noexcept : store_(std::exchange(other.store_, {})), previous_(other.previous_) {}
  DeadlineScope& operator=(DeadlineScope&&) = delete;
  WASI_API ~DeadlineScope();

 private:
  friend class Store;
  DeadlineScope(detail::StoreRef store, std::optional<std::chrono::steady_clock::time_point> previous)
      : store_(std::move(store)), previous_(previous) {}
  detail::StoreRef store_;
  std::optional<std::chrono::steady_clock::time_point> previous_;
};

// Objects made in a store live until the store and every handle to one of its objects are gone, and no call into its
// guests is in progress. One thread at a time may use a store and everything that belongs to it; different stores are
// independent. Calls into one store nest: one that began later ends earlier. A store that was moved from may be
// destroyed or assigned to, nothing else.
class Store {
 public:
  // Throws std::bad_alloc where the host has no memory for it.
  WASI_API explicit Store(const Engine& engine, StoreConfig config = {});
  // The same without exceptions: fails with `limit`.
  WASI_API static Result<Store> create(const Engine& engine, const StoreConfig& config = {});
  Store(Store&&) noexcept = default;
  Store& operator=(Store&&) noexcept = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The embedder's own data; host functions reach it as Caller::data<T>().
  [[nodiscard]] WASI_API std::any& data();

  // Guest code traps with `deadline_exceeded` at its first loop, call or return from a host function behind this.
  // Stores whose guests are called by host functions inherit it for that time. Set between calls, not from host
  // functions. Empty: no deadline. Fails with `limit`, and changes nothing, where no thread can be had to watch it.
  WASI_API Result<void> set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);
  // A deadline for the calls that are made while the result exists. Fails as set_deadline does.
  [[nodiscard]] WASI_API Result<DeadlineScope> limit_calls(std::chrono::steady_clock::time_point deadline);
  // Takes back interrupts that came too late to stop anything.
  WASI_API void clear_interrupt();
  // Where the engine's code charges fuel (EngineConfig::fuel): what the guests of this store may still execute before
  // they trap with `out_of_fuel`. A new store has none, and a module's start function needs some already. Every
  // instruction costs 1, but for those that only say where blocks begin and end: block, loop, try, try_table, else,
  // catch, end; a function's end costs 1. It is charged where control goes on elsewhere or may come from elsewhere, for
  // all that was run since the last such place, so what a call of a host function finds is exact, and a trap within a
  // straight run comes before that run has been charged. Fuel that was too little for a run is gone with the trap; more
  // of it, and the store can be called again. May be called from host functions, whose own work costs nothing.
  // Threads of wasi-threads have stores of their own: each begins with half of what is left in the store that starts
  // it, which is taken from that one, so all of them together execute no more than was given to the first. More than
  // 2^63 - 1 counts as that. Both fail with `argument` where the engine's code charges nothing.
  WASI_API Result<void> set_fuel(std::uint64_t fuel);
  [[nodiscard]] WASI_API Result<std::uint64_t> fuel() const;
  // Says which stack the calls into this store will be made on, where the embedder switches to stacks of its own
  // (fibers, coroutines): all of its bytes, without guard pages. Guests then use it down to a part that is kept for
  // host functions, 3/8 of it and at most 128 KiB. Without this, guests and the host functions that call them again
  // get 24 KiB of such a stack. Threads' own stacks are known. Smaller ones than 64 KiB run no guests: each call traps
  // with `stack_overflow`. Empty: not known. Set between calls.
  WASI_API void set_native_stack(std::span<const std::byte> stack);
  // Frees the structures and arrays that nothing refers to any more. Happens by itself too.
  WASI_API void collect_garbage();
  [[nodiscard]] WASI_API HeapMetrics heap_metrics() const;
  [[nodiscard]] WASI_API Interrupter interrupter() const;

 private:
  friend struct detail::Internals;
  std::shared_ptr<detail::StoreState> state_;
};

}  // namespace wasi
