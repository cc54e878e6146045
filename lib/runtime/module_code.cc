// Code records, and what is looked up by name in a module.
#include "runtime/module_code.h"

#include "base/check.h"
#include "base/guard.h"
#include "base/result.h"
#include "runtime/call_sites.h"
#include "runtime/tier_policy.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

ModuleCode::ModuleCode(std::shared_ptr<const wasm::Module> m, Tier& t, BoundsChecks c, bool validated)
    : module(std::move(m)), tier(&t), checks(c), bodies_validated(validated), records_(module->bodies.size()) {
  functions = records_.data();
  tier_module = tier->create_module(*this);
}

ModuleCode::~ModuleCode() {
  if (policy != nullptr) policy->forget(*this);
}

FunctionCode& ModuleCode::code(wasm::FuncIndex function) {
  const std::size_t defined = function.value - module->imported_functions;
  WASI_CHECK(defined < records_.size());
  FunctionCode& record = records_[defined];
  // Several threads may meet a record for the first time.
  if ((record.state.load(std::memory_order_acquire) & kRecordFilled) == 0) {
    const std::lock_guard lock(records_mutex_);
    if ((record.state.load(std::memory_order_relaxed) & kRecordFilled) == 0) {
      record.module = this;
      record.index = function.value;
      const std::uint32_t validated = bodies_validated ? kBodyValidated : 0;
      record.state.fetch_or(kRecordFilled | validated, std::memory_order_release);
    }
  }
  return record;
}

Result<SlotEntry> ModuleCode::prepare(FunctionCode& function, Preparation& preparation) {
  const SlotEntry entry = WASI_TRY(guarded([&] { return tier->prepare(*this, *tier_module, function, preparation); }));
  function.state.fetch_or(kBodyValidated, std::memory_order_relaxed);
  // A better one may be there by now.
  SlotEntry none = nullptr;
  function.entry.compare_exchange_strong(none, entry, std::memory_order_release, std::memory_order_relaxed);
  if (policy != nullptr && recall && function.native_code.load(std::memory_order_relaxed) == nullptr) {
    policy->prepared(*this, module->body(wasm::FuncIndex(function.index)).size);
  }
  return entry;
}

std::optional<std::size_t> ModuleCode::find_export(std::string_view name) {
  const auto& list = module->exports;
  if (list.size() <= kHashedExports) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].name == name) return i;
    }
    return std::nullopt;
  }
  std::call_once(exports_once_, [&] {
    exports_.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) exports_.emplace(list[i].name, i);
  });
  const auto found = exports_.find(name);
  if (found == exports_.end()) return std::nullopt;
  return found->second;
}

const binary::Names& ModuleCode::names() {
  std::call_once(names_once_, [&] { names_ = binary::decode_names(*module); });
  return names_;
}

}  // namespace wasi::runtime
