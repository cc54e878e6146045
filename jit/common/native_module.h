// The machine code of a module's functions: placed, entered into the code map, and made what callers get to.
//
// Code stays until the module goes, when no call of it is in progress. A function gets its code once: of two
// compilations the second is dropped before anyone has seen it. Thread-safe.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "jit/common/adapter_cache.h"
#include "jit/common/code_space.h"
#include "jit/common/machine_code.h"
#include "runtime/code_entry.h"
#include "runtime/module_code.h"
#include "runtime/preparation.h"
#include "runtime/tier.h"

namespace wasi::jit {

class NativeModule {
 public:
  // Both outlive it; it is a part of the module.
  NativeModule(CodeSpace& space, runtime::ModuleCode& module);
  ~NativeModule();
  NativeModule(const NativeModule&) = delete;
  NativeModule& operator=(const NativeModule&) = delete;

  // Bytes that install() has taken for the function: what calls get to from now on, through both entries. `function` is
  // a filled record of the module's. Zero where the function had code already. An Error changes nothing. Throws
  // std::bad_alloc.
  Result<std::uint64_t> install(runtime::FunctionCode& function, const MachineCode& machine,
                                runtime::Preparation& preparation);

  // The native entry of a function without machine code: an adapter to its slot entry.
  runtime::NativeEntry entry_to_slots(const runtime::FunctionCode& function);

  // Of a function whose native_code is there, but perhaps not yet its entry.
  [[nodiscard]] static runtime::SlotEntry slot_entry(const runtime::FunctionCode& function);
  // See runtime::Tier.
  [[nodiscard]] static std::optional<runtime::LoopTarget> loop_target(const runtime::FunctionCode& function,
                                                                      std::uint64_t wasm_offset);
  [[nodiscard]] static const void* tail_entry(const runtime::FunctionCode& function);
  [[nodiscard]] static runtime::CallEntry call_entry(const runtime::FunctionCode& function);

 private:
  struct Installed;
  std::shared_ptr<Adapters> adapters_of(const runtime::FunctionCode& function);

  CodeSpace& space_;
  runtime::ModuleCode& module_;
  std::mutex mutex_;  // guards all below, and is held while a function gets its code
  std::vector<std::unique_ptr<const Installed>> installed_;
  std::unordered_map<const Adapters*, std::shared_ptr<Adapters>> adapters_;  // that entries lie in
};

}  // namespace wasi::jit
