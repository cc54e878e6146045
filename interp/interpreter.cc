// The tier: translation at the first call, entries from native code, and what the runtime asks about frames.
#include "interp/interpreter.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "interp/dispatch.h"
#include "interp/interpreter_entry.h"
#include "interp/record.h"
#include "interp/shims.h"
#include "interp/slow_path.h"
#include "interp/translate.h"
#include "interp/translation.h"
#include "interp/translation_store.h"
#include "runtime/call_sites.h"
#include "runtime/module_code.h"
#include "runtime/native_tuning.h"
#include "runtime/trap_raise.h"

namespace wasi::interp {

using runtime::ExecState;
using runtime::Frame;
using runtime::FunctionCode;
using runtime::ModuleCode;
using runtime::Slot;
using runtime::VmContext;

constinit Shims shims;

void fill_shims() {
  static const bool filled = [] {
    for (const auto& [shim, code] : {std::pair{&shims.exit, Code::exit}, std::pair{&shims.restore_10, Code::restore_10},
                                     std::pair{&shims.restore_16, Code::restore_16}}) {
      const std::int32_t head = handler_offset(code);
      std::memcpy(shim->code, &head, sizeof head);
    }
    return true;
  }();
  static_cast<void>(filled);
}

void interpreter_entry(VmContext* instance, Slot* slots, FunctionCode* self) {
  ExecState& exec = *instance->exec;
  const auto& translation = *static_cast<const Translation*>(self->interpreter.load(std::memory_order_acquire));
  Record* newest = newest_record(exec);
  // Differences of numbers: a store that got no stack has no addresses to compare.
  const std::uintptr_t left = reinterpret_cast<std::uintptr_t>(newest) - reinterpret_cast<std::uintptr_t>(slots);
  if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < exec.native_limit ||
      left < translation.frame_slots * sizeof(Slot) + sizeof(Record)) [[unlikely]] {
    runtime::raise_trap(exec, TrapCode::stack_overflow);
  }
  const std::uint32_t cost = runtime::kEntryCost + translation.call_cost - 1;
  if (exec.budget < cost) [[unlikely]] {
    exec.budget = entry_spent(instance, self);
  } else {
    exec.budget -= cost;
  }
  Record* record = newest - 1;
  record->caller = exec.top;
  record->instance = instance;
  record->function = self;
  record->slots = slots;
  record->resume = translation.code;
  record->return_ip = shims.exit.code;
  exec.top = record;
  // Most functions that hosts call have none; memset would take longer than the rest of the entry.
  if (translation.local_slots != 0) {
    std::memset(static_cast<void*>(slots + translation.parameter_slots), 0,
                std::uint64_t{translation.local_slots} * sizeof(Slot));
  }
  run(translation.code, slots, instance);
}

namespace {

class Interpreter : public runtime::Tier {
 public:
  explicit Interpreter(InterpreterOptions options) : options_(options) { fill_shims(); }

  [[nodiscard]] const char* name() const override { return "interp"; }

  std::unique_ptr<runtime::TierModule> create_module(ModuleCode& module) override {
    if (options_.observes_calls) module.call_sites = std::make_unique<runtime::CallSites>();
    return std::make_unique<TranslationStore>();
  }

  Result<runtime::SlotEntry> prepare(ModuleCode& module, runtime::TierModule& own, FunctionCode& code,
                                     runtime::Preparation& preparation) override;

  [[nodiscard]] std::optional<std::uint64_t> offset_of(const Frame& frame) const override {
    const auto* translation = static_cast<const Translation*>(frame.function->interpreter.load());
    if (translation == nullptr) return std::nullopt;
    return translation->offset_of(static_cast<const std::uint8_t*>(frame.resume));
  }

  [[nodiscard]] const Slot* frame_end(const Frame& frame) const override {
    return frame.slots + static_cast<const Translation*>(frame.function->interpreter.load())->frame_slots;
  }

  [[nodiscard]] bool owns_pc(std::uintptr_t pc) const override { return is_handler_pc(pc); }

  // Handlers keep the instruction's address in a register while they access memory (pin() in state.h). Others may hold
  // that of an instruction before: where a branch came from, say.
  [[nodiscard]] const void* resume_of_fault(const ExecState& exec, std::uintptr_t /*pc*/,
                                            const std::uint64_t* registers, std::size_t register_count) const override {
    const auto* translation = static_cast<const Translation*>(exec.top->function->interpreter.load());
    if (translation == nullptr) return nullptr;
    const auto is_place = [&](std::size_t i) {
      return i < register_count && translation->offset_of(reinterpret_cast<const std::uint8_t*>(registers[i]));
    };
    std::size_t found = kIpRegister.value_or(0);
    if (!is_place(found)) {
      for (found = 0; found < register_count && !is_place(found);) ++found;
    }
    return found < register_count ? reinterpret_cast<const void*>(registers[found]) : nullptr;
  }

  [[nodiscard]] std::vector<runtime::TierStatistics> statistics() const override {
    return {{.name = name(),
             .functions = functions_.load(),
             .bytecode_bytes = bytecode_bytes_.load(),
             .code_bytes = code_bytes_.load(),
             .nanoseconds = nanoseconds_.load()}};
  }

 private:
  std::unique_ptr<Translator> take_translator(runtime::BoundsChecks checks);
  void give_back(runtime::BoundsChecks checks, std::unique_ptr<Translator> translator);

  const InterpreterOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Translator>> spare_[runtime::kBoundsCheckModes];
  std::atomic<std::uint64_t> functions_{0};
  std::atomic<std::uint64_t> bytecode_bytes_{0};
  std::atomic<std::uint64_t> code_bytes_{0};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

// A translator keeps its buffers from one function to the next.
std::unique_ptr<Translator> Interpreter::take_translator(runtime::BoundsChecks checks) {
  const std::lock_guard lock(mutex_);
  auto& spare = spare_[static_cast<std::size_t>(checks)];
  if (spare.empty())
    return std::make_unique<Translator>(TranslatorOptions{
        .checks = checks, .style = options_.style, .counts = options_.counts, .charges_fuel = options_.charges_fuel});
  auto translator = std::move(spare.back());
  spare.pop_back();
  return translator;
}

void Interpreter::give_back(runtime::BoundsChecks checks, std::unique_ptr<Translator> translator) {
  translator->trim();
  const std::lock_guard lock(mutex_);
  spare_[static_cast<std::size_t>(checks)].push_back(std::move(translator));
}

Result<runtime::SlotEntry> Interpreter::prepare(ModuleCode& module, runtime::TierModule& own, FunctionCode& code,
                                                runtime::Preparation& preparation) {
  if (code.interpreter.load(std::memory_order_acquire) != nullptr) return interpreter_entry;
  const auto begin = std::chrono::steady_clock::now();
  const wasm::FuncIndex function(code.index);
  const bool validated = (code.state.load(std::memory_order_relaxed) & runtime::kBodyValidated) != 0;
  WASI_TRY(module.module->check_body(function));
  auto translator = take_translator(module.checks);
  translator->observe_calls(module.call_sites.get());
  WASI_TRY(translate(*translator, *module.module, function, validated, preparation));
  const std::uint64_t kept = TranslationStore::size_of(*translator);
  WASI_TRY(preparation.take(kept));
  const Translation* translation = static_cast<TranslationStore&>(own).add(*translator);
  preparation.keep(kept);
  give_back(module.checks, std::move(translator));
  // Another thread may have been faster; its translation is the same and stays.
  void* expected = nullptr;
  if (code.interpreter.compare_exchange_strong(expected, const_cast<Translation*>(translation))) {
    functions_ += 1;
    bytecode_bytes_ += module.module->body(function).size;
    code_bytes_ += kept;
  }
  nanoseconds_ += static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begin).count());
  return interpreter_entry;
}

}  // namespace

std::unique_ptr<runtime::Tier> make_interpreter(InterpreterOptions options) {
  return std::make_unique<Interpreter>(options);
}

}  // namespace wasi::interp
