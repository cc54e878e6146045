// A module made ready to be instantiated: its data and its functions' code records.
//
// Shared by all instances, immutable but for the code records' atomics.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/code_entry.h"
#include "runtime/tier.h"
#include "wasm/module.h"

namespace wasi::runtime {

// How memory accesses are kept inside of a memory: guard pages, or a comparison at each access.
enum class BoundsChecks : std::uint8_t { guard_pages, explicit_checks };
inline constexpr std::size_t kBoundsCheckModes = 2;

// The code records of a module for one way of bounds checking: the array is untouched zero pages
// until functions are called.
struct ModuleCode {
  ModuleCode(std::shared_ptr<const wasm::Module> module, Tier& tier, BoundsChecks checks, bool bodies_validated);
  ~ModuleCode();
  ModuleCode(const ModuleCode&) = delete;
  ModuleCode& operator=(const ModuleCode&) = delete;

  std::shared_ptr<const wasm::Module> module;
  Tier* tier;
  BoundsChecks checks;
  bool bodies_validated;              // eagerly; otherwise prepare() walks with checks
  FunctionCode* functions = nullptr;  // by FuncIndex minus imported functions
  std::unique_ptr<TierModule> tier_module;

  // The record of a defined function with `module` and `index` filled in.
  FunctionCode& code(wasm::FuncIndex function);
};

}  // namespace wasi::runtime
