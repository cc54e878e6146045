// A module made ready to be instantiated: its data and its functions' code records.
//
// Shared by all instances, immutable but for the code records' atomics.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "binary/names.h"
#include "os/virtual_memory.h"
#include "runtime/bounds_checks.h"
#include "runtime/code_entry.h"
#include "runtime/tier.h"
#include "wasm/module.h"

namespace wasi::runtime {

class CallSites;
class SampleCounts;
class TierPolicy;

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
  TierPolicy* policy = nullptr;  // null: functions stay in the tier that they were prepared for. Outlives the module
  SampleCounts* sample_counts = nullptr;  // not null: the policy only counts its samples here. Outlives the module
  std::unique_ptr<CallSites> call_sites;  // null: nobody wants to know whom calls by reference reach
  // Gives functions the machine code that is kept of them from before, wherever that is; does not throw. Once, when the
  // module turns out to run for a while (tier_policy.h), or before something is compiled at its first call: whoever
  // turns `may_recall` to false calls it.
  std::function<void()> recall;
  std::atomic<bool> may_recall{false};
  // What ran is compiled for the next run, where there may be one: TierPolicy alone uses these.
  std::atomic<std::uint64_t> prepared_bytes{0};  // of bodies, without machine code
  std::atomic<bool> is_keeping{false};
  std::size_t keeping_next = 0;  // the next function to look at, of whoever keeps
  // Of a module that was a text: adds the place in it that an error's offset stands for. Empty for binary modules.
  std::function<Error(Error)> locate;

  // Makes a function ready to be called, if it is not yet, and returns its entry: see Tier::prepare. `function` is a
  // filled record.
  Result<SlotEntry> prepare(FunctionCode& function, Preparation& preparation);
  // The record of a defined function with `module` and `index` filled in.
  FunctionCode& code(wasm::FuncIndex function);
  // Index into module->exports.
  [[nodiscard]] std::optional<std::size_t> find_export(std::string_view name);
  // The name section, read when it is first asked for.
  const binary::Names& names();

 private:
  os::ZeroedArray<FunctionCode> records_;
  std::mutex records_mutex_;  // held to fill a record, not to read it
  std::once_flag exports_once_;
  std::unordered_map<std::string_view, std::size_t> exports_;
  std::once_flag names_once_;
  binary::Names names_;
};

// Of a filled record.
inline std::size_t body_bytes(const FunctionCode& function) {
  return function.module->module->body(wasm::FuncIndex(function.index)).size;
}

}  // namespace wasi::runtime
