#include "jit/llvm/likely_callees.h"

#include <algorithm>
#include <utility>

namespace wasi::jit::optimising {

namespace {

// A guess that is wrong at one of so many calls costs more than it gains.
constexpr std::uint64_t kRightOf = 8;
// More than are compared one after the other: of these, most have to be so small that the call is what they take.
constexpr std::size_t kMostCallees = 16;
constexpr std::uint32_t kMostTinyBytes = 48;

}  // namespace

std::span<const wasm::FuncIndex> LikelyCallees::of(std::uint64_t offset, wasm::TypeIndex type) {
  const wasm::TypeId wanted = module_.types[type.value];
  const auto seen = std::ranges::lower_bound(seen_, offset, {}, &runtime::SeenCall::offset);
  if (seen != seen_.end() && seen->offset == offset) {
    std::vector<HeldFunction> callees;
    for (const runtime::SeenCall::Callee& callee : seen->callees) {
      // Others were traps.
      if (callee.calls != 0 && may_be(wasm::FuncIndex(callee.function), wanted))
        callees.push_back({wasm::FuncIndex(callee.function), callee.calls});
    }
    of_seen_ = choose(std::move(callees), seen->others);
    if (!of_seen_.empty() || seen->others == 0) return of_seen_;
    // More than were noted.
    const std::span<const wasm::FuncIndex> held = held_of(wanted);
    return held.size() > kMostCompared ? held : std::span<const wasm::FuncIndex>();
  }
  return held_of(wanted);
}

std::span<const wasm::FuncIndex> LikelyCallees::held_of(wasm::TypeId type) {
  if (held_.empty()) return {};
  if (by_type_.empty()) sort_by_type();
  const auto [answer, is_new] = answers_.try_emplace(type.value);
  if (is_new) answer->second = look_for(type);
  return answer->second;
}

void LikelyCallees::sort_by_type() {
  for (const HeldFunction& held : held_) {
    const wasm::TypeId type = module_.types[module_.functions[held.function.value].value];
    by_type_[type.value].push_back(held);
  }
}

bool LikelyCallees::may_be(wasm::FuncIndex function, wasm::TypeId type) const {
  return module_.registry->is_subtype(module_.types[module_.functions[function.value].value], type);
}

LikelyCallees::Callees LikelyCallees::look_for(wasm::TypeId type) const {
  std::vector<HeldFunction> all;
  if (module_.registry->at(type).is_final) {
    if (const auto own = by_type_.find(type.value); own != by_type_.end()) all = own->second;
  } else {
    for (const auto& [id, held] : by_type_) {
      if (module_.registry->is_subtype(wasm::TypeId(id), type)) all.insert(all.end(), held.begin(), held.end());
    }
  }
  return choose(std::move(all), 0);
}

LikelyCallees::Callees LikelyCallees::choose(std::vector<HeldFunction> candidates, std::uint64_t other_heat) const {
  std::ranges::sort(candidates, [](const HeldFunction& a, const HeldFunction& b) {
    return a.heat != b.heat ? a.heat > b.heat : a.function.value < b.function.value;
  });
  std::uint64_t others = other_heat;
  for (const HeldFunction& candidate : candidates) others += candidate.heat;
  std::uint64_t together = 0;
  std::size_t count = 0;
  // Where nothing is known of them, they are all.
  const auto is_enough = [&] {
    return (others == 0 && count == candidates.size()) || others < (together + kRightOf - 1) / kRightOf;
  };
  while (count < candidates.size() && !is_enough()) {
    together += candidates[count].heat;
    others -= candidates[count].heat;
    ++count;
  }
  if (count == 0 || count > kMostCallees || !is_enough()) return {};
  const std::uint32_t most_bytes = count == 1 ? UINT32_MAX : count <= kMostCompared ? kMostSmallBytes : kMostTinyBytes;
  Callees chosen;
  for (const HeldFunction& candidate : std::span(candidates).first(count)) {
    if (module_.is_imported(candidate.function)) continue;
    if (module_.body(candidate.function).size <= most_bytes) chosen.push_back(candidate.function);
  }
  // Of many, the others would be jumped for twice.
  if (count > kMostCompared && chosen.size() < count - count / kRightOf) return {};
  return chosen;
}

}  // namespace wasi::jit::optimising
