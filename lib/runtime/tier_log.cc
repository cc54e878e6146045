#include "runtime/tier_log.h"

#include <new>
#include <string>
#include <utility>

#include "runtime/module_code.h"

namespace wasi::runtime {

void TierLog::add(ModuleCode& module, const FunctionCode& function, TierChange change, Clock::time_point begin,
                  const Result<void>& outcome) {
  const Clock::time_point end = Clock::now();
  const wasm::FuncIndex index(function.index);
  try {
    change.at = end - begin_;
    change.took = end - begin;
    change.module = module.names().module;
    change.function = module.names().function(index).value_or("");
    change.function_index = index.value;
    change.body_bytes = module.module->body(index).size;
    if (!outcome) change.failure = outcome.error().message;
    const std::lock_guard lock(mutex_);
    changes_.push_back(std::move(change));
  } catch (const std::bad_alloc&) {
  }
}

std::vector<TierChange> TierLog::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

}  // namespace wasi::runtime
