#include "jit/llvm/likely_callees.h"

namespace wasi::jit::optimising {

namespace {

// A guess that is wrong at one of so many calls costs more than it gains.
constexpr std::uint64_t kRightOf = 8;

}  // namespace

void LikelyCallees::Candidates::add(const Candidates& others) {
  if (!hottest || others.heat > heat) {
    hottest = others.hottest;
    heat = others.heat;
  }
  heat_together += others.heat_together;
  count += others.count;
}

std::optional<wasm::FuncIndex> LikelyCallees::of(wasm::TypeIndex type) {
  if (held_.empty()) return std::nullopt;
  if (by_type_.empty()) sort_by_type();
  const wasm::TypeId wanted = module_.types[type.value];
  const auto [answer, is_new] = answers_.try_emplace(wanted.value);
  if (is_new) answer->second = look_for(wanted);
  return answer->second;
}

void LikelyCallees::sort_by_type() {
  for (const HeldFunction& held : held_) {
    const wasm::TypeId type = module_.types[module_.functions[held.function.value].value];
    by_type_[type.value].add({held.function, held.heat, held.heat, 1});
  }
}

std::optional<wasm::FuncIndex> LikelyCallees::look_for(wasm::TypeId type) const {
  Candidates all;
  if (module_.registry->at(type).is_final) {
    if (const auto own = by_type_.find(type.value); own != by_type_.end()) all = own->second;
  } else {
    for (const auto& [id, candidates] : by_type_) {
      if (module_.registry->is_subtype(wasm::TypeId(id), type)) all.add(candidates);
    }
  }
  const std::uint64_t others = all.heat_together - all.heat;
  const bool is_likely = all.count == 1 || others < (all.heat + kRightOf - 1) / kRightOf;
  return is_likely && !module_.is_imported(*all.hottest) ? all.hottest : std::nullopt;
}

}  // namespace wasi::jit::optimising
