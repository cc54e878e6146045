#include "jit/llvm/likely_callees.h"

#include <algorithm>
#include <vector>

namespace wasi::jit::optimising {

std::optional<wasm::FuncIndex> LikelyCallees::of(wasm::TypeIndex type) {
  if (!was_read_) read();
  const wasm::TypeId wanted = module_.types[type.value];
  const auto [answer, is_new] = answers_.try_emplace(wanted.value);
  if (is_new) answer->second = look_for(wanted);
  return answer->second;
}

LikelyCallees::Callee LikelyCallees::look_for(wasm::TypeId type) const {
  const wasm::TypeRegistry& registry = *module_.registry;
  Callee found;
  for (const auto& [id, function] : by_type_) {
    if (id != type.value && !registry.is_subtype(wasm::TypeId(id), type)) continue;
    if (found || !function) return std::nullopt;
    found = function;
  }
  return found && !module_.is_imported(*found) ? found : std::nullopt;
}

void LikelyCallees::read() {
  was_read_ = true;
  std::vector<bool> is_held(module_.functions.size());
  bool has_expressions = std::ranges::any_of(module_.tables, [](const auto& table) { return table.init.has_value(); });
  for (const wasm::ElementSegment& segment : module_.elements) {
    has_expressions |= !segment.expressions.empty();
    for (const wasm::FuncIndex function : segment.functions) is_held[function.value] = true;
  }
  // Expressions are not read: all that stand outside of bodies may be in them. What is only exported is not held.
  std::vector<bool> is_exported(module_.functions.size());
  for (const wasm::Export& exported : module_.exports) {
    if (exported.kind == wasm::ExternalKind::func) is_exported[exported.index] = true;
  }
  for (std::size_t i = 0; i < module_.declared_functions.size(); ++i) {
    if (module_.declared_functions[i] && (has_expressions || !is_exported[i])) is_held[i] = true;
  }
  for (std::uint32_t i = 0; i < is_held.size(); ++i) {
    if (!is_held[i]) continue;
    const wasm::TypeId type = module_.types[module_.functions[i].value];
    const auto [at, is_first] = by_type_.try_emplace(type.value, wasm::FuncIndex(i));
    if (!is_first) at->second = std::nullopt;
  }
}

}  // namespace wasi::jit::optimising
