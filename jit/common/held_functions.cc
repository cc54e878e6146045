#include "jit/common/held_functions.h"

#include <algorithm>

namespace wasi::jit {

std::vector<HeldFunction> held_functions(const wasm::Module& module) {
  std::vector<HeldFunction> held;
  bool has_expressions = std::ranges::any_of(module.tables, [](const auto& table) { return table.init.has_value(); });
  for (const wasm::ElementSegment& segment : module.elements) {
    has_expressions |= !segment.expressions.empty();
    for (const wasm::FuncIndex function : segment.functions) held.push_back({function});
  }
  if (has_expressions) {
    // Nobody reads them: all functions that stand outside of bodies may be in them.
    for (std::uint32_t i = 0; i < module.declared_functions.size(); ++i) {
      if (module.declared_functions[i]) held.push_back({wasm::FuncIndex(i)});
    }
  }
  std::ranges::sort(held, {}, [](const HeldFunction& one) { return one.function.value; });
  const auto same = std::ranges::unique(held, {}, [](const HeldFunction& one) { return one.function.value; });
  held.erase(same.begin(), same.end());
  held.shrink_to_fit();
  return held;
}

}  // namespace wasi::jit
