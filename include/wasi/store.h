// The store: owner of instances, memories, tables and globals, with the limits that hold for them.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#store
#pragma once

#include <wasi/engine.h>
#include <wasi/metrics.h>

#include <any>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace wasi {

namespace detail {
struct StoreState;
}

struct StoreConfig {
  // Bytes of all linear memories and tables (8 an element) together; a guest's memory.grow or table.grow beyond it
  // fails with -1.
  std::uint64_t memory_limit = UINT64_MAX;
  std::uint64_t table_limit = 10'000'000;  // elements of each table
  std::uint64_t instance_limit = 10'000;
  std::uint64_t stack_size = 8U << 20;  // bytes of the Wasm stack; beyond it: TrapCode::stack_overflow
  // Bytes of the heap for structures and arrays, by blocks of 64 KiB; beyond it: TrapCode::allocation_failure.
  std::uint64_t gc_heap_limit = std::uint64_t{4} << 30;
  bool gc_stress = false;  // collect at every allocation: for tests
  // Guest code traps with `deadline_exceeded` when this much time has passed since the store was made.
  std::optional<std::chrono::nanoseconds> deadline = std::nullopt;
};

// Stops the guest of a store. Copyable; any thread may use it, also after the store has gone.
class Interrupter {
 public:
  // Guest code that runs, or the next that is called, traps with TrapCode::interrupted at its next loop or call.
  void interrupt() const;

 private:
  friend class Store;
  explicit Interrupter(std::weak_ptr<detail::StoreState> state) : state_(std::move(state)) {}
  std::weak_ptr<detail::StoreState> state_;
};

// Objects made in a store live until the store and every handle to one of its objects are gone.
// One thread at a time may use a store and everything that belongs to it; different stores are independent.
class Store {
 public:
  explicit Store(const Engine& engine, StoreConfig config = {});
  Store(Store&&) noexcept = default;
  Store& operator=(Store&&) noexcept = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // The embedder's own data; host functions reach it as Caller::data<T>().
  [[nodiscard]] std::any& data();

  // Set between calls, not from host functions. Empty: no deadline.
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);
  // Frees the structures and arrays that nothing refers to any more. Happens by itself too.
  void collect_garbage();
  [[nodiscard]] HeapMetrics heap_metrics() const;
  [[nodiscard]] Interrupter interrupter() const { return Interrupter(state_); }

 private:
  friend struct detail::Internals;
  std::shared_ptr<detail::StoreState> state_;
};

}  // namespace wasi
