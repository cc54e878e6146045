#include "jit/baseline/baseline_tier.h"

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "base/result.h"
#include "jit/common/native_module.h"
#include "runtime/call_sites.h"
#include "runtime/compile_queue.h"
#include "runtime/host_function.h"
#include "runtime/instance.h"
#include "runtime/module_code.h"
#include "runtime/preparation.h"
#include "runtime/stack_walk.h"
#include "runtime/tier_policy.h"
#include "runtime/trap_raise.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::Frame;
using runtime::FunctionCode;
using runtime::ModuleCode;
using runtime::NativeCode;
using runtime::NativeEntry;
using runtime::Preparation;
using runtime::SlotEntry;
using runtime::VmContext;

class BaselineTier::Module : public NativeTierModule {
 public:
  Module(CodeSpace& space, ModuleCode& module, std::unique_ptr<runtime::TierModule> own_of_interpreter)
      : NativeTierModule(space, module), interpreted(std::move(own_of_interpreter)), module_(module) {}

  // Of the module, without heat.
  std::span<const HeldFunction> held_functions() {
    std::call_once(held_once_, [this] { held_ = jit::held_functions(*module_.module); });
    return held_;
  }
  // With what is known of their heat where functions get machine code because they run much: those are hot, others that
  // were called at all are not, and the rest does not run.
  std::vector<HeldFunction> held_functions_with_heat() {
    constexpr std::uint64_t kHot = 4096;
    const std::span<const HeldFunction> all = held_functions();
    std::vector<HeldFunction> held(all.begin(), all.end());
    for (HeldFunction& one : held) {
      if (module_.module->is_imported(one.function)) continue;
      const FunctionCode& code = module_.functions[one.function.value - module_.module->imported_functions];
      if (code.native_code.load(std::memory_order_relaxed) != nullptr) {
        one.heat = kHot;
      } else if (code.entry.load(std::memory_order_relaxed) != nullptr) {
        one.heat = 1;
      }
    }
    return held;
  }

  const std::unique_ptr<runtime::TierModule> interpreted;
  // Held while a unit is compiled, so that who wants another of its functions waits.
  std::array<std::mutex, 16> units;

 private:
  ModuleCode& module_;
  std::once_flag held_once_;
  std::vector<HeldFunction> held_;
};

BaselineTier::BaselineTier(CodeSpace& space, std::unique_ptr<runtime::Tier> interpreter, Compiler compiler,
                           BaselineOptions options)
    : space_(space), interpreter_(std::move(interpreter)), compiler_(compiler), options_(std::move(options)) {}

BaselineTier::~BaselineTier() = default;

std::unique_ptr<runtime::TierModule> BaselineTier::create_module(ModuleCode& module) {
  return std::make_unique<Module>(space_, module, interpreter_->create_module(module));
}

Result<void> BaselineTier::compile_function(ModuleCode& module, FunctionCode& code, Preparation& preparation) {
  return compile_function(static_cast<Module&>(*module.tier_module), module, code, preparation);
}

Result<void> BaselineTier::compile_function(Module& own, ModuleCode& module, FunctionCode& code,
                                            Preparation& preparation) {
  if (code.native_code.load(std::memory_order_acquire) != nullptr) return {};
  const auto bound = guarded([&] { return own.native.bind(code, preparation); });
  if (bound && *bound) return {};
  const auto begin = std::chrono::steady_clock::now();
  const wasm::FuncIndex function(code.index);
  const std::uint32_t body_bytes = module.module->body(function).size;
  auto compiled = guarded([&]() -> Result<std::uint64_t> {
    // Machine code is rarely shorter than what it is made of.
    WASI_TRY(space_.check_room(body_bytes));
    WASI_TRY(module.module->check_body(function));
    if (options_.unit_compiler != nullptr) {
      auto unit = compile_unit(own, module, code, preparation);
      // What is too large for that compiler is not too large for this one.
      if (unit || unit.error().kind != ErrorKind::unsupported) return unit;
      preparation.give_back_all();
    }
    const bool validated = (code.state.load(std::memory_order_relaxed) & runtime::kBodyValidated) != 0;
    const CompileOptions options{.checks = module.checks,
                                 .cpu = options_.cpu ? *options_.cpu : CpuFeatures::host(),
                                 .charges_fuel = options_.charges_fuel,
                                 .for_debugger = space_.wants_source(),
                                 .notes_locals = space_.notes_locals(),
                                 .without = options_.without,
                                 .counts = options_.counts};
    const MachineCode machine = WASI_TRY(compiler_(*module.module, function, validated, options, preparation));
    code.state.fetch_or(runtime::kBodyValidated, std::memory_order_relaxed);
    return own.native.install(code, machine, preparation);
  });
  counts_.nanoseconds += static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count());
  const std::uint64_t installed = WASI_TRY(std::move(compiled));
  if (installed == 0) return {};
  counts_.functions += 1;
  counts_.bytecode_bytes += body_bytes;
  counts_.code_bytes += installed;
  return {};
}

Result<std::uint64_t> BaselineTier::compile_unit(Module& own, ModuleCode& module, FunctionCode& code,
                                                 Preparation& preparation) {
  // Of neighbours in the module, so that compilations need not know of each other. Together they have about this much.
  constexpr std::uint32_t kUnitBytes = 16U << 10;
  const wasm::FuncIndex wanted(code.index);
  const auto unit_of = [&](std::uint32_t index) {
    return module.module->body(wasm::FuncIndex(index)).offset / kUnitBytes;
  };
  const std::uint32_t unit = unit_of(wanted.value);
  const std::lock_guard lock(own.units[unit % own.units.size()]);
  if (code.native_code.load(std::memory_order_acquire) != nullptr) return 0;

  std::vector<UnitRequest> requests;
  const auto add = [&](std::uint32_t index) {
    const FunctionCode& record = module.code(wasm::FuncIndex(index));
    if (record.native_code.load(std::memory_order_acquire) != nullptr) return;
    requests.push_back(
        {wasm::FuncIndex(index), (record.state.load(std::memory_order_relaxed) & runtime::kBodyValidated) != 0});
  };
  add(wanted.value);
  std::uint32_t first = wanted.value;
  while (first > module.module->imported_functions && unit_of(first - 1) == unit) --first;
  for (std::uint32_t i = first; i < module.module->functions.size() && unit_of(i) == unit; ++i) {
    if (i != wanted.value && module.module->check_body(wasm::FuncIndex(i))) add(i);
  }
  OptimisingOptions options = optimising_options(module);
  options.held = own.held_functions();
  const MachineUnit machine = WASI_TRY(options_.unit_compiler->compile(*module.module, requests, options, preparation));
  for (const UnitFunction& function : machine.functions) {
    module.code(function.index).state.fetch_or(runtime::kBodyValidated, std::memory_order_relaxed);
    if (function.index == wanted) continue;  // whoever asked counts this one
    counts_.functions += 1;
    counts_.bytecode_bytes += module.module->body(function.index).size;
  }
  return own.native.install(machine, preparation);
}

OptimisingOptions BaselineTier::optimising_options(const ModuleCode& module) const {
  return {.checks = module.checks,
          .cpu = options_.cpu ? *options_.cpu : CpuFeatures::host(),
          .charges_fuel = options_.charges_fuel,
          .strict = options_.strict,
          .for_debugger = space_.wants_source(),
          .without = options_.unit_without,
          .counts = options_.unit_counts};
}

Result<std::shared_ptr<OptimisingCompiler>> BaselineTier::optimiser() {
  const std::lock_guard lock(optimiser_mutex_);
  if (optimiser_ == nullptr) {
    auto found = optimises() ? options_.optimiser() : fail(ErrorKind::unsupported, "there is no better compiler");
    if (!found) {
      lacks_optimiser_ = true;
      return std::unexpected(std::move(found).error());
    }
    optimiser_ = *std::move(found);
  }
  return optimiser_;
}

Result<void> BaselineTier::optimise(ModuleCode& module, FunctionCode& code, std::optional<std::uint64_t> loop,
                                    Preparation& preparation, runtime::Absence* absence) {
  auto& own = static_cast<Module&>(*module.tier_module);
  const NativeCode* const present = code.native_code.load(std::memory_order_acquire);
  if (!loop && present != nullptr && present->is_optimised) return {};
  const std::shared_ptr<OptimisingCompiler> compiler = WASI_TRY(optimiser());
  const auto begin = std::chrono::steady_clock::now();
  const wasm::FuncIndex function(code.index);
  const std::uint32_t body_bytes = module.module->body(function).size;
  auto compiled = guarded([&]() -> Result<std::uint64_t> {
    WASI_TRY(space_.check_room(body_bytes));
    WASI_TRY(module.module->check_body(function));
    const UnitRequest request{.index = function,
                              .validated = (code.state.load(std::memory_order_relaxed) & runtime::kBodyValidated) != 0,
                              .loop = loop};
    OptimisingOptions options = optimising_options(module);
    // A copy, since the module may go while this thread is away.
    const std::vector<HeldFunction> held = own.held_functions_with_heat();
    options.held = held;
    const std::vector<runtime::SeenCall> seen =
        module.call_sites != nullptr ? module.call_sites->seen(module) : std::vector<runtime::SeenCall>();
    options.seen = seen;
    const std::shared_ptr<const wasm::Module> source = module.module;
    // Bytes that are only mapped, or somebody else's, are sure to be there for as long as the module is: who lets go of
    // it waits for this then.
    const bool leaves = absence != nullptr && source->bytes.owner != nullptr && source->bytes.late == nullptr;
    if (leaves && !absence->leave()) return fail(ErrorKind::limit, "nobody wants it any more");
    auto machine = guarded([&] { return compiler->compile(*source, {&request, 1}, options, preparation); });
    if (leaves && !absence->come_back()) return fail(ErrorKind::limit, "nobody wants it any more");
    if (!machine) return std::unexpected(std::move(machine).error());
    return own.native.install(*machine, preparation);
  });
  if (absence != nullptr && !absence->is_back()) return std::unexpected(std::move(compiled).error());
  optimised_.nanoseconds += static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count());
  const std::uint64_t installed = WASI_TRY(std::move(compiled));
  if (installed == 0) return {};
  optimised_.functions += 1;
  optimised_.bytecode_bytes += body_bytes;
  optimised_.code_bytes += installed;
  return {};
}

const void* BaselineTier::optimised_loop(const FunctionCode& code, std::uint64_t loop) const {
  return static_cast<Module&>(*code.module->tier_module).native.optimised_loop(code.index, loop);
}

Result<SlotEntry> BaselineTier::prepare(ModuleCode& module, runtime::TierModule& own, FunctionCode& code,
                                        Preparation& preparation) {
  auto& module_data = static_cast<Module&>(own);
  if (options_.compiles_at_first_call && module.may_recall.load(std::memory_order_relaxed) &&
      module.may_recall.exchange(false)) {
    module.recall();
  }
  if (module_data.native.has_image()) {
    if (const auto bound = module_data.native.bind(code, preparation); bound && *bound) {
      if (module.policy != nullptr && module.policy->optimiser() != nullptr) {
        module.policy->optimiser()->machine_code_exists();
      }
      return NativeModule::slot_entry(code);
    }
    preparation.give_back_all();
  }
  if (options_.compiles_at_first_call) {
    const auto begin = runtime::TierLog::Clock::now();
    auto compiled = compile_function(module_data, module, code, preparation);
    if (options_.log != nullptr && !preparation.is_interrupted()) {
      options_.log->add(module, code, {.tier = name()}, begin, compiled);
    }
    if (compiled) return NativeModule::slot_entry(code);
    const ErrorKind kind = compiled.error().kind;
    if (preparation.is_interrupted() || kind == ErrorKind::malformed || kind == ErrorKind::invalid) {
      return std::unexpected(std::move(compiled).error());
    }
    preparation.give_back_all();
    counts_.uncompiled += 1;
  }
  return interpreter_->prepare(module, *module_data.interpreted, code, preparation);
}

// Nothing may be left to destroy where the function's preparation traps.
NativeEntry BaselineTier::bind_native(ExecState& /*exec*/, VmContext* instance, FunctionCode& code) {
  if (instance == nullptr) return space_.entry_to_host(reinterpret_cast<runtime::HostFunction&>(code));
  ModuleCode& module = *runtime::Instance::from(instance)->code;
  const bool may_have_code =
      options_.compiles_at_first_call || static_cast<Module&>(*module.tier_module).native.has_image();
  if (may_have_code && code.entry.load(std::memory_order_acquire) == nullptr) {
    runtime::prepare_function(instance, code);
  }
  NativeEntry entry = code.native_entry.load(std::memory_order_acquire);
  if (entry != nullptr) return entry;
  const auto defined = static_cast<std::uint32_t>(&code - module.functions);
  const FunctionCode& record = module.code(wasm::FuncIndex(module.module->imported_functions + defined));
  const NativeEntry adapter = static_cast<Module&>(*module.tier_module).native.entry_to_slots(record);
  // Machine code may have come meanwhile.
  code.native_entry.compare_exchange_strong(entry, adapter, std::memory_order_acq_rel);
  return entry != nullptr ? entry : adapter;
}

std::optional<runtime::LoopTarget> BaselineTier::loop_target(const FunctionCode& code,
                                                             std::uint64_t wasm_offset) const {
  return static_cast<Module&>(*code.module->tier_module).native.loop_target(code, wasm_offset);
}

const void* BaselineTier::tail_entry(const FunctionCode& code) const { return NativeModule::tail_entry(code); }

runtime::CallEntry BaselineTier::call_entry(const FunctionCode& code) const { return NativeModule::call_entry(code); }

std::optional<std::uint64_t> BaselineTier::offset_of(const Frame& frame) const {
  return interpreter_->offset_of(frame);
}

const runtime::Slot* BaselineTier::frame_end(const Frame& frame) const { return interpreter_->frame_end(frame); }

bool BaselineTier::owns_pc(std::uintptr_t pc) const { return interpreter_->owns_pc(pc); }

const void* BaselineTier::resume_of_fault(const ExecState& exec, std::uintptr_t pc, const std::uint64_t* registers,
                                          std::size_t register_count) const {
  return interpreter_->resume_of_fault(exec, pc, registers, register_count);
}

std::vector<runtime::TierStatistics> BaselineTier::statistics() const {
  std::vector<runtime::TierStatistics> all = interpreter_->statistics();
  all.push_back(counts_.of(name()));
  if (optimised_.nanoseconds.load() != 0) all.push_back(optimised_.of(optimised_name()));
  return all;
}

runtime::TierStatistics BaselineTier::Counts::of(const char* tier) const {
  return {.name = tier,
          .functions = functions.load(),
          .uncompiled = uncompiled.load(),
          .bytecode_bytes = bytecode_bytes.load(),
          .code_bytes = code_bytes.load(),
          .nanoseconds = nanoseconds.load()};
}

}  // namespace wasi::jit::baseline
