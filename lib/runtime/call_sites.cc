#include "runtime/call_sites.h"

#include <algorithm>
#include <functional>
#include <new>

#include "runtime/module_code.h"

namespace wasi::runtime {

SeenCall CallSite::seen(const ModuleCode& module) const {
  SeenCall result{.offset = offset_, .others = others_.load(std::memory_order_relaxed)};
  const FunctionCode* const first = module.functions;
  const FunctionCode* const end = first + module.module->bodies.size();
  auto next = result.callees.begin();
  for (const Place& place : places_) {
    const FunctionCode* const callee = place.callee.load(std::memory_order_relaxed);
    const std::uint64_t calls = place.calls.load(std::memory_order_relaxed);
    const bool is_own = std::less_equal()(first, callee) && std::less()(callee, end);
    if (!is_own) {
      result.others += calls;
    } else if (calls != 0) {
      *next++ = {module.module->imported_functions + static_cast<std::uint32_t>(callee - first), calls};
    }
  }
  return result;
}

CallSite* CallSites::add(std::uint64_t offset) noexcept {
  const std::lock_guard lock(mutex_);
  if (sites_.size() == kMost) return nullptr;
  try {
    return &sites_.emplace_back(offset);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::vector<SeenCall> CallSites::seen(const ModuleCode& module) const {
  std::vector<SeenCall> all;
  {
    const std::lock_guard lock(mutex_);
    for (const CallSite& site : sites_) {
      const SeenCall seen = site.seen(module);
      if (seen.callees.front().calls != 0 || seen.others != 0) all.push_back(seen);
    }
  }
  // Two threads may have translated a function at the same time: the code of one of them runs.
  std::ranges::sort(all, {}, &SeenCall::offset);
  const auto repeated = std::ranges::unique(all, {}, &SeenCall::offset);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

}  // namespace wasi::runtime
