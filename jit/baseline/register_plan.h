// Which locals live in registers where, decided before the first instruction.
//
// The function as a whole has an assignment, and each loop may have another one: the locals that the loop uses most,
// where they are worth the loads and stores around it. So code between the head and the end of a loop, a *region*,
// finds each local in one place. A register that is left over in a loop holds the ExecState, which every iteration
// asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "jit/baseline/registers.h"
#include "jit/baseline/scan.h"

namespace wasi::jit::baseline {

struct Pin {
  Bank bank = Bank::general;
  std::uint8_t reg = 0;
  std::uint32_t local = 0;
  bool is_stale = true;  // its home may be, when the region is left
};

// Few things in place.
template <class T, std::size_t kMost>
class ShortList {
 public:
  void push_back(const T& value) { items_[size_++] = value; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T& operator[](std::size_t index) { return items_[index]; }
  [[nodiscard]] const T& operator[](std::size_t index) const { return items_[index]; }
  [[nodiscard]] T* begin() { return items_.data(); }
  [[nodiscard]] T* end() { return items_.data() + size_; }
  [[nodiscard]] const T* begin() const { return items_.data(); }
  [[nodiscard]] const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, kMost> items_;
  std::size_t size_ = 0;
};

struct PinRegion {
  std::uint32_t parent = 0;
  std::uint8_t exec = Local::kNoPin;
  ShortList<Pin, std::size(kPreservedPins) + std::size(kOtherPins) + 1 + std::size(kVectorPins)> pins;

  [[nodiscard]] const Pin* find(Bank bank, std::uint8_t reg) const;
};

struct RegisterPlan {
  std::vector<PinRegion> regions;  // of the function; then of its loops in the order in which they begin
  std::uint8_t memory_base = Local::kNoPin;
  std::uint32_t preserved = 0;  // those that are used anywhere, one bit each
  bool is_leaf = false;         // it calls nothing, so that all registers are its own

  [[nodiscard]] bool has_memory_base() const { return memory_base != Local::kNoPin; }
};

struct PlanOptions {
  bool pins_locals = true;
  bool pins_per_loop = true;
  bool knows_leaves = true;
  bool may_have_memory_base = true;
  std::span<const wasm::ValType> params = {};
};

void plan_registers(RegisterPlan& into, const BodyScan& scan, const PlanOptions& options);

}  // namespace wasi::jit::baseline
