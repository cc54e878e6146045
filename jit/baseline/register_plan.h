// Which locals live in registers where, decided before the first instruction.
//
// The function as a whole has an assignment, and each loop may have another one: the locals that the loop uses most,
// where they are worth the loads and stores around it. So code between the head and the end of a loop, a *region*,
// finds each local in one place. A register that is left over in a loop holds the ExecState, which every iteration
// asks.
#pragma once

#include <cstdint>
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

struct PinRegion {
  std::uint32_t parent = 0;
  std::uint8_t exec = Local::kNoPin;
  std::vector<Pin> pins;

  [[nodiscard]] const Pin* find(Bank bank, std::uint8_t reg) const;
};

struct RegisterPlan {
  std::vector<PinRegion> regions;  // of the function; then of its loops in the order in which they begin
  bool has_memory_base = false;
  std::uint32_t preserved = 0;  // those that are used anywhere, one bit each
};

struct PlanOptions {
  bool pins_locals = true;
  bool pins_per_loop = true;
  bool may_have_memory_base = true;
};

RegisterPlan plan_registers(const BodyScan& scan, const PlanOptions& options);

}  // namespace wasi::jit::baseline
